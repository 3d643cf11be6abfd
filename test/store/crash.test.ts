import { describeCrashes } from '../support/crashed.ts';

describeCrashes(20, 6, 2);
