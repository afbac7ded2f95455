#!/usr/bin/env python3
"""Draws a session as a picture: python3 terminal.py < session.txt > terminal.svg (standard library only).

A session is what a terminal showed: lines that begin with "$ " were typed.
"""
import sys
from html import escape

SIZE, LINE, EDGE = 13, 19, 18


def main():
    lines = [line.rstrip("\n").replace("\t", "    ") for line in sys.stdin]
    width = EDGE * 2 + round(max(map(len, lines)) * SIZE * 0.603)
    height = EDGE * 2 + LINE * len(lines)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">')
    print("<title>A session of vankho in a terminal</title>")
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#16212b"/>')
    font = "'DejaVu Sans Mono', 'Noto Sans Mono', Consolas, Menlo, monospace"
    print(f'<g font-family="{font}" font-size="{SIZE}" fill="#d7e0e7" xml:space="preserve">')
    for number, line in enumerate(lines):
        y = EDGE + LINE * number + SIZE
        text = escape(line).replace("«", '<tspan fill="#f2c14e">').replace("»", "</tspan>")
        colour = ' fill="#7fd1ae"' if line.startswith("$ ") else ""
        print(f'<text x="{EDGE}" y="{y}"{colour}>{text}</text>')
    print("</g>\n</svg>")


main()
