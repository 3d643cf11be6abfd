import 'uplot/dist/uPlot.min.css';

/** What draws plots: loaded with the first of them. */
export { default } from 'uplot';
