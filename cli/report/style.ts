import { GRID, INK, MUTED } from './chart.js'

/** The report's style sheet: follows the reader's light or dark setting, and prints. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --muted: #666a70; --grid: #e2e4e8; --paper: #fff; --card: #f7f8fa; --good: #228833; --bad: #c2334d }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --muted: #9aa0a8; --grid: #343840; --paper: #15171a; --card: #1d2024; --good: #6cc27a; --bad: #ff8a9b }
}
@media print { :root { --ink: #000; --muted: #444; --grid: #ccc; --paper: #fff; --card: #fff } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em }
h2 { margin: 3rem 0 0.75rem; font-size: 1.25rem; letter-spacing: -0.01em }
h3 { margin: 0 0 0.15rem; font-size: 1rem }
.caption, .facts { margin: 0 0 0.5rem; color: var(--muted); font-size: 0.875rem; max-width: 48rem }
.whole { max-width: none }
.alarm { margin: 1.5rem 0; padding: 0.75rem 1rem; border-left: 4px solid var(--bad); background: var(--card) }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; margin: 1.75rem 0 }
.card { padding: 0.9rem 1.1rem; background: var(--card); border-radius: 8px }
.card .value { font-size: 1.6rem; font-weight: 600; letter-spacing: -0.02em; line-height: 1.25 }
.card .label { font-size: 0.8125rem; color: var(--muted) }
.plots { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 2rem 2.5rem }
figure { margin: 0; min-width: 0; break-inside: avoid; grid-column: span 3; display: flex; flex-direction: column }
figure svg { margin-top: auto }
figure.small { grid-column: span 2 }
figure.wide { grid-column: 1 / -1 }
@media (max-width: 56rem) { figure, figure.small { grid-column: 1 / -1 } }
svg { display: block; width: 100%; height: auto; font-family: inherit }
svg [fill="${INK}"] { fill: var(--ink) }
svg [fill="${MUTED}"] { fill: var(--muted) }
svg [stroke="${MUTED}"] { stroke: var(--muted) }
svg [stroke="${GRID}"] { stroke: var(--grid) }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; margin: 0 0 0.25rem; font-size: 0.8125rem; color: var(--muted) }
.legend i { display: inline-block; width: 0.8rem; height: 0.55rem; margin-right: 0.4rem; border-radius: 2px; print-color-adjust: exact }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 0.8125rem; vertical-align: bottom }
th, td { padding: 0.4rem 0.9rem 0.4rem 0; border-bottom: 1px solid var(--grid); vertical-align: top }
.scroll + .caption { margin-top: 0.6rem; max-width: none }
.number { text-align: right; white-space: nowrap }
.samples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem }
.sample { padding: 0.9rem 1.1rem; background: var(--card); border-radius: 8px; break-inside: avoid; min-width: 0 }
.sample .prompt { margin: 0 0 0.5rem; font-weight: 600; overflow-wrap: anywhere }
.sample table { font-size: 0.875rem }
.sample tr:last-child td { border-bottom: 0 }
.sample .role { width: 4.8rem; color: var(--muted); font-size: 0.8125rem }
.sample .answer { overflow-wrap: anywhere }
.sample .verdicts { color: var(--muted); font-size: 0.8125rem; width: 8rem; padding-right: 0 }
.chosen .role, .chosen .number { color: var(--good); font-weight: 600 }
.rejected .role, .rejected .number { color: var(--bad); font-weight: 600 }
details { margin-top: 2rem }
summary { cursor: pointer; font-size: 1.25rem; font-weight: 600 }
details .plots, details .scroll { margin-top: 1rem }
code { font: 0.875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
@media print { body { padding: 0; max-width: none; font-size: 11pt } .card, .sample { border: 1px solid var(--grid) } }
`
