import type { FC } from 'hono/jsx';
import { OTHERS } from '../parts/slot-chart.tsx';

/** A build that charts draw, with its colour on all pages. */
export interface DrawnBuild {
  os: string;
  build: string;
  /** 1 to 8. */
  colour: number;
}

export interface BuildNameProps {
  os: string;
  build: string;
  drawn: DrawnBuild[];
  /** Also names the system. */
  ofSystem?: boolean | undefined;
}

/** A build with the colour that charts use for it, or grey for one of the others. */
export const BuildName: FC<BuildNameProps> = ({ os, build, drawn, ofSystem }) => {
  const known = drawn.find(one => one.os === os && one.build === build);
  return (
    <span class={`key s${known?.colour ?? OTHERS.colour} mono`}>
      {ofSystem && os && (
        <>
          <small>{os}</small>{' '}
        </>
      )}
      {build}
    </span>
  );
};

/**
 * A build is in use if this share of its system's machine ids reported from it on one day of the last so many. Other
 * builds are trials.
 */
export const IN_USE = { share: 0.02, days: 14 };

/** Says which builds a chart draws. */
export const BuildsDrawn: FC = () => (
  <p class="soft">
    The chart draws the newest builds in use; each has one colour on all pages. All other builds together are grey. A
    build is in use if at least {100 * IN_USE.share} % of the machine ids of its OS reported from it on one of the last{' '}
    {IN_USE.days} days.
  </p>
);
