"""The one style sheet: light and dark, phone and desk, screen and paper. Text has a contrast of 4.5 and more, marks of 3."""

from __future__ import annotations

_LIGHT = """
--paper:#fff;--card:#fff;--band:#f4f6f8;--ink:#17202a;--soft:#4d5966;--rule:#c3ccd5;--link:#0b57a4;--grid:#e2e7ec;
--good:#1b6e3a;--bad:#b3201d;--open:#7a5200;--good-fill:#e4f3e9;--bad-fill:#fbe6e5;--open-fill:#fbf0d9;
--c0:#1f5fa8;--c1:#b34700;--c2:#1b6e3a;--c3:#7b3fa0;--bar:#9cc0e6;--bar-edge:#4f86bf;--interval:#9db4cc;
"""
_DARK = """
--paper:#12171d;--card:#1a2129;--band:#1f2832;--ink:#e8edf2;--soft:#aab6c2;--rule:#42505e;--link:#8cc2ff;--grid:#2c3743;
--good:#76d398;--bad:#ff9a94;--open:#f0c266;--good-fill:#17352a;--bad-fill:#43201f;--open-fill:#3a2f17;
--c0:#7db4ff;--c1:#ffb070;--c2:#76d398;--c3:#cfa3f0;--bar:#35577d;--bar-edge:#6f9fd0;--interval:#4c6a8a;
"""
_TEXT = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
overflow-wrap:break-word}
header,nav,main,footer{max-width:1120px;margin:0 auto;padding:0 16px}
header{padding-top:24px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 4px}
h2{font-size:1.3rem;margin:40px 0 12px;padding-bottom:4px;border-bottom:2px solid var(--rule)}
h3{font-size:1.05rem;margin:24px 0 8px}
h4{font-size:1rem;margin:0 0 8px}
p{margin:0 0 12px;max-width:76ch}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
code{font:0.875em/1.4 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.skip{position:absolute;left:-999em;background:var(--paper);padding:8px 16px;z-index:1}
.skip:focus{left:8px;top:8px}
.lead,.small,.under{color:var(--soft)}
.small,.under{font-size:.875rem}
.under{display:block;font-weight:400}
h4 .under{display:inline}
nav ul{list-style:none;margin:16px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:4px 16px}
nav a{display:inline-block;padding:4px 0}
.restricted{border:2px solid var(--bad);background:var(--bad-fill);padding:12px 16px;margin:16px 0;border-radius:6px}
.restricted p{margin:0}
.verdict{display:inline-block;padding:2px 12px;border-radius:4px;border:1px solid currentColor;letter-spacing:.04em}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}
.verdict.good{background:var(--good-fill)}.verdict.bad{background:var(--bad-fill)}
.result{font-weight:600;white-space:nowrap}
.statement{border-left:4px solid var(--link);padding:4px 0 4px 16px}
"""
_PARTS = """
table{border-collapse:collapse;width:100%;margin:16px 0;font-size:.9375rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:6px}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid var(--rule);overflow-wrap:anywhere}
thead th{color:var(--soft);font-weight:600;white-space:nowrap;overflow-wrap:normal}
tbody th{font-weight:400}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:4px 24px;margin:12px 0}
.facts div{display:flex;flex-wrap:wrap;align-content:flex-start;gap:0 8px;min-width:0}
.facts dt{color:var(--soft)}.facts dt::after{content:":"}
.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
.cards{list-style:none;margin:16px 0;padding:0;display:grid;
grid-template-columns:repeat(auto-fill,minmax(min(100%,290px),1fr));gap:16px}
.cards>li{min-width:0}
.card{height:100%;background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:12px}
.card h3,.card h4{margin:0 0 8px;overflow-wrap:anywhere}
.card .facts{grid-template-columns:1fr;font-size:.9375rem}
.card .small{margin:8px 0 0}
details{margin:12px 0}
summary{cursor:pointer;color:var(--link);padding:4px 0}
figure{margin:16px 0}
figcaption{color:var(--soft);font-size:.875rem;margin-top:6px}
img{display:block;max-width:100%;height:auto;image-rendering:pixelated;border:1px solid var(--rule)}
footer{margin-top:40px;padding-top:16px;padding-bottom:32px;border-top:1px solid var(--rule);color:var(--soft);
font-size:.875rem}
"""
_DRAWN = """
svg{display:block;width:100%;max-width:420px;height:auto}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--soft)}
svg .strong{font-weight:600;font-size:13px;fill:var(--ink)}
.axis{stroke:var(--soft);stroke-width:1}.grid{stroke:var(--grid);stroke-width:1}
.curve{fill:none;stroke-width:1.5;stroke-linejoin:round}
.curve.c0{stroke:var(--c0)}.curve.c1{stroke:var(--c1);stroke-dasharray:5 2}
.curve.c2{stroke:var(--c2);stroke-dasharray:2 2}.curve.c3{stroke:var(--c3);stroke-dasharray:8 2 2 2}
.key.c0{color:var(--c0)}.key.c1{color:var(--c1)}
.event{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
.bar{fill:var(--bar);stroke:var(--bar-edge);stroke-width:.75}
.interval{fill:var(--interval)}.value{fill:var(--c0)}
.null{fill:var(--card);stroke:var(--c3);stroke-width:2}
.beyond{fill:var(--bad-fill)}
.limit{stroke-width:2;stroke-dasharray:4 2}.limit.good{stroke:var(--good)}.limit.bad{stroke:var(--bad)}
.limit.open{stroke:var(--open)}
.arc{fill:none;stroke:var(--c0);stroke-width:1.2;opacity:.8}
"""
_NARROW = """
.stacked,.stacked tbody,.stacked tr,.stacked th,.stacked td,.stacked caption{display:block}
.stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacked tr{border-bottom:1px solid var(--rule);padding:8px 0}
.stacked th,.stacked td{border:0;padding:2px 0}
.stacked td{display:flex;gap:8px}
.stacked td>div{min-width:0;flex:1}
.stacked td::before{content:attr(data-label);color:var(--soft);flex:0 0 8.5em}
.stacked td.empty{display:none}
"""
_PAPER = """
nav,.skip{display:none}
body{font-size:10.5pt}
header,main,footer{max-width:none;padding:0}
.card,figure,tr{break-inside:avoid}
h2,h3{break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}
.card details{display:none}
a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
"""


def _squeezed(text: str) -> str:
    return text.replace("\n", "")


STYLE = _squeezed(
    f":root{{{_LIGHT}}}@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}{_TEXT}{_PARTS}{_DRAWN}"
    f"@media screen and (max-width:720px){{{_NARROW}}}@media print{{{_PAPER}}}"
)
