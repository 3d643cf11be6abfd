import type { ViewName } from '../../../src/console/api.ts';
import { viewTitle } from '../titles.ts';
import { Code } from './copy.tsx';
import { Title } from './section.tsx';

/** A view as the server tells it. */
export function Plain({
  view,
  facts,
  rows,
}: {
  readonly view: ViewName;
  readonly facts: object;
  readonly rows: readonly object[];
}) {
  return (
    <>
      <Title title={viewTitle(view)} />
      <Code text={JSON.stringify({ facts, rows }, null, 2)} />
    </>
  );
}
