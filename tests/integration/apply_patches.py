#!/usr/bin/env python3
"""Applies JSON Patches with an implementation that is not ours: lines of object, patch and wanted result on standard input.

Numbers are compared by their text, so that nothing is lost to doubles. Says how many held; the first that does not ends it.
"""
import json
import sys

import jsonpatch


class Number(str):
    pass


def read(line):
    return json.loads(line, parse_int=Number, parse_float=Number)


def main():
    lines = sys.stdin.buffer
    count = 0
    while True:
        texts = [lines.readline() for _ in range(3)]
        if not texts[0]:
            break
        value, patch, wanted = map(read, texts)
        got = jsonpatch.JsonPatch(patch).apply(value)
        if got != wanted:
            sys.exit(f"applied to\n{texts[0]}\nthe patch\n{texts[1]}\ngives\n{got}\nnot\n{wanted}")
        count += 1
    print(f"{count} patches applied by jsonpatch {jsonpatch.__version__}")


main()
