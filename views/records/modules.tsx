import type { FC } from 'hono/jsx';
import { Scroll } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';

/** A module of a crashed program; null: the report does not name it. */
export interface ShownModule {
  module: string;
  buildId: string | null;
  package: string | null;
}

export const ModuleTable: FC<{ modules: ShownModule[] }> = ({ modules }) => (
  <details>
    <summary>Modules of the program, with their build ids and packages</summary>
    <Scroll label="Modules" fit>
      <table>
        <thead>
          <tr>
            <th scope="col">Module</th>
            <th scope="col">Build id</th>
            <th scope="col">Package</th>
          </tr>
        </thead>
        <tbody>
          {modules.map(module => (
            <tr>
              <th scope="row" class="mono">
                {visible(module.module)}
              </th>
              <td class="mono">{module.buildId ?? <span class="soft">not given</span>}</td>
              <td>{module.package === null ? <span class="soft">not given</span> : visible(module.package)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </details>
);
