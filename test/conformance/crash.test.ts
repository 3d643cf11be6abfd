import { describeCrashes } from '../support/crashed.ts';

describeCrashes(200, 100, 4);
