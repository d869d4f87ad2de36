import { ratioFigure, type Figure } from '../../bench/report.ts'

/** Twice its goal, with rates. */
export const LOGIN = ratioFigure('log in : loop', 0.45, [{ figure: 1800, limit: 2000 }])
/** Three times its goal, and no ratio. */
export const START: Figure = { name: 'Start <ready> & "well"', goal: { below: 1.5, unit: 's' }, rounds: [0.4, 0.5, 0.6] }
/** Half of its goal. */
export const MEMORY: Figure = { name: 'Memory', goal: { below: 110, unit: 'MB' }, rounds: [220] }
