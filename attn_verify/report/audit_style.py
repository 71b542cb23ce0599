"""The style sheet of an audit's page: light, dark and printed; colours that colour-blind readers tell apart.

Inside the bound is blue, outside is orange, darker (in the dark: brighter) means more; every cell has its number too.
"""

_DARK = """--ink: #e3e7ee; --soft: #a3aebf; --line: #333d4c; --paper: #14181f; --tint: #1c222c; --mark: #8fb4f5;
  --good: #7cc4a0; --bad: #ff9f78; --open: #e8c266; --bad-tint: #33211a; --good-tint: #18291f; --open-tint: #2e2818;
  --h0: #18222f; --h1: #1f3b59; --h2: #2c639d; --h3: #5c3b12; --h4: #9a5413; --h5: #d97a26; --h6: #f5ab63;
  --h7: #ffdcb8; --on-high: #14181f; --heat: #4a7fd0;"""

STYLE = (
    """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566172; --line: #d9dee6; --paper: #fff; --tint: #f4f6fa;
  --mark: #2f5fb3; --good: #1d6b47; --bad: #a63a09; --open: #7a5a00; --bad-tint: #fdf0e8; --good-tint: #ebf6f0;
  --open-tint: #fbf5e1; --h0: #f1f6fc; --h1: #cbe0f4; --h2: #93bfe8; --h3: #fde0b8; --h4: #f7b16d; --h5: #c2500e;
  --h6: #8f3207; --h7: #561a02; --on-high: #fff; --heat: #2f6fd0; }
@media (prefers-color-scheme: dark) { :root { """
    + _DARK
    + """ } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
.page { max-width: 64rem; margin: 0 auto; padding: 2rem 1.4rem 3rem; }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
math { font-family: "AttnVerify Math", "Latin Modern Math", "STIX Two Math", math; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .1em 0 .7em; font-weight: 600; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .8rem; }
h3 { font-size: 1.1rem; margin: 0; }
h4 { font-size: .8rem; margin: 1.3em 0 .45em; text-transform: uppercase; letter-spacing: .06em; color: var(--soft); }
p { margin: .3em 0; overflow-wrap: anywhere; }
a { color: var(--mark); }
.eyebrow, .said { color: var(--soft); }
.eyebrow { margin: 0; font-size: .9rem; }
.verdict { display: flex; gap: .9em; align-items: baseline; padding: .75em 1.1em; border-radius: .5em;
  border-left: .4em solid currentColor; margin: 0 0 1.3rem; background: var(--good-tint); color: var(--good); }
.verdict strong { font-size: 1.15rem; letter-spacing: .03em; white-space: nowrap; }
.verdict span { color: var(--ink); overflow-wrap: anywhere; }
.REFUTED { color: var(--bad); } .UNDECIDED { color: var(--open); }
.PROVED, .PROBABLE, .TESTED { color: var(--good); }
.verdict.REFUTED { background: var(--bad-tint); } .verdict.UNDECIDED { background: var(--open-tint); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2em 1.2em; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dd span { display: inline-block; margin-right: 1em; }
table { border-collapse: collapse; }
caption { text-align: left; padding: 0 0 .5em; font-weight: 600; }
.claims { width: 100%; }
.claims th, .claims td { text-align: left; vertical-align: baseline; padding: .5em 1em .5em 0; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line); }
.claims thead th { color: var(--soft); font-weight: normal; font-size: .85rem; }
.claims tbody th { font-weight: 600; }
.claims th small { display: block; font-weight: normal; color: var(--soft); }
.status { font-weight: 600; white-space: nowrap; }
.none { color: var(--soft); font-weight: normal; }
article { border: 1px solid var(--line); border-radius: .6em; padding: 1.1em 1.3em 1.3em; margin: 0 0 1.2rem; }
article.REFUTED { border-left: .4em solid var(--bad); color: inherit; }
article > header { display: flex; flex-wrap: wrap; gap: .2em .8em; align-items: baseline; margin-bottom: .3em; }
.look { background: var(--tint); border-radius: .4em; padding: .6em .9em; margin: .8em 0; }
.look b { margin-right: .5em; }
.seen { font-size: 1.02rem; margin: .8em 0; }
.seen mark { background: none; color: var(--bad); font-weight: 700; text-decoration: underline;
  text-underline-offset: .2em; }
.formula { overflow-x: auto; padding: .1em 0; line-height: 1.9; font-size: 1.12em; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.4em 2.6em; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
.wide { overflow-x: auto; padding: 3px; }
.wide:focus-visible, pre:focus-visible { outline: 2px solid var(--mark); }
.map th { font-weight: normal; color: var(--soft); font-size: .78rem; padding: .1em .45em; text-align: center; }
.map td { min-width: 3.4em; height: 2.3em; text-align: center; padding: 0 .35em; font-size: .8rem;
  border: 1px solid var(--paper); font-variant-numeric: tabular-nums; white-space: nowrap;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.numbers td { background: var(--tint); text-align: right; }
.map .here { outline: 3px solid var(--ink); box-shadow: inset 0 0 0 2px var(--paper); font-weight: 700; }
.map .row td:first-of-type { box-shadow: inset 3px 0 var(--ink); }
.off { background: repeating-linear-gradient(45deg, var(--tint) 0 4px, var(--line) 4px 6px); color: var(--soft); }
.h0 { background: var(--h0); } .h1 { background: var(--h1); } .h2 { background: var(--h2); }
.h3 { background: var(--h3); } .h4 { background: var(--h4); }
.h5 { background: var(--h5); } .h6 { background: var(--h6); } .h7 { background: var(--h7); }
.h5, .h6, .h7 { color: var(--on-high); }
.w { background: color-mix(in srgb, var(--heat) calc(var(--w) * 75%), var(--h0)); }
.legend { display: flex; flex-wrap: wrap; gap: .25em .9em; list-style: none; margin: .6em 0 0; padding: 0;
  max-width: 25rem; font-size: .78rem; color: var(--soft); }
.legend i { display: inline-block; width: 1.3em; height: 1em; margin-right: .35em; vertical-align: -.12em;
  border: 1px solid var(--line); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
figcaption { font-size: .82rem; color: var(--soft); max-width: 25rem; margin-top: .4em; }
pre { background: var(--tint); border-radius: .4em; padding: .8em 1em; margin: 0; overflow: auto; font-size: .84rem;
  max-height: 30rem; line-height: 1.45; }
.code .n { color: var(--soft); user-select: none; -webkit-user-select: none; }
.code .missed { color: var(--open); font-weight: 700; text-decoration: underline; }
pre.all { user-select: all; -webkit-user-select: all; }
details summary { cursor: pointer; color: var(--mark); margin-top: 1em; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(29rem, 100%), 1fr)); gap: 1.2rem; }
.cards article { margin: 0; }
.bars { width: 100%; font-size: .85rem; margin-top: .8em; }
.bars th { font-weight: normal; text-align: left; padding: .1em .8em .1em 0; overflow-wrap: anywhere; }
.bars td { padding: .1em .6em .1em 0; text-align: right; font-variant-numeric: tabular-nums; }
.bars td:last-child { width: 45%; padding: 0; }
.bar { display: block; height: .7em; border-radius: .2em; background: var(--h2); width: calc(var(--w) * 100%);
  min-width: 2px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.scale { border: 1px solid var(--line); border-radius: .3em; margin: .5em 0 .7em; background: var(--tint); }
.plain { padding-left: 1.2em; margin: .3em 0; }
.plain li { overflow-wrap: anywhere; }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .85em; padding-top: .8em; margin-top: 3rem; }
@media (max-width: 40rem) { .claims thead { display: none; } .claims tr, .claims td, .claims th { display: block; }
  .claims td, .claims th { border: 0; padding: .1em 0; } .claims tr { border-bottom: 1px solid var(--line);
  padding: .5em 0; } }
@media print {
  body { font-size: 10pt; } .page { max-width: none; padding: 0; }
  pre { max-height: none; white-space: pre-wrap; } .wide, .formula { overflow: visible; }
  h2, h3, h4 { break-after: avoid; } tr, figure, .look, .cards article { break-inside: avoid; }
  a { color: inherit; text-decoration: none; }
}
"""
)
