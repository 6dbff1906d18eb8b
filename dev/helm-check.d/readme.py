"""Keeps the table of values in the chart's README equal to values.yaml and, for pools, to values.schema.json.

usage: readme.py CHART [--write]
"""
import json
import pathlib
import re
import sys

import yaml

from report import say

START, END = "<!-- values: written by dev/helm-check --write-readme -->", "<!-- end of values -->"


def described(text):
    """`# -- ` comments of values.yaml: path of the key below each of them → description."""
    found, path, waiting = {}, [], None
    for line in text.splitlines():
        comment = re.match(r"\s*# -- (.*)", line)
        key = re.match(r"( *)([A-Za-z][\w.-]*):", line)
        if comment:
            waiting = comment.group(1)
        elif key and not line.lstrip().startswith("- "):
            depth = len(key.group(1)) // 2
            path = [*path[:depth], key.group(2)]
            if waiting:
                found[".".join(path)] = waiting
                waiting = None
    return found


def leaves(values, descriptions, path=""):
    """Paths that need a row: a described key is one row, whatever is inside it."""
    for key, value in values.items():
        here = f"{path}{key}"
        if here in descriptions or not isinstance(value, dict) or not value:
            yield here, value
        else:
            yield from leaves(value, descriptions, f"{here}.")


def pool_rows(definition, path):
    for key, field in definition["properties"].items():
        if "properties" in field:
            yield from pool_rows(field, f"{path}.{key}")
        else:
            yield f"{path}.{key}", field.get("description", ""), ""


def rows(chart):
    text = (chart / "values.yaml").read_text()
    descriptions, problems, table = described(text), [], []
    for path, value in leaves(yaml.safe_load(text), descriptions):
        if path not in descriptions:
            problems.append(f"{path} has no description in values.yaml")
        shown = json.dumps(value)
        shown = f"`{shown}`" if len(shown) <= 60 else "see values.yaml"
        table.append((path, descriptions.pop(path, ""), shown))
    problems += [f"the description of {path} belongs to no key" for path in descriptions]
    pool = json.loads((chart / "values.schema.json").read_text())["definitions"]["pool"]
    for path, description, shown in pool_rows(pool, "workers.pools[]"):
        if not description:
            problems.append(f"{path} has no description in values.schema.json")
        table.append((path, description, shown))
    return table, problems


def main(chart, write):
    table, problems = rows(chart)
    lines = ["| key | meaning | default |", "|---|---|---|"]
    lines += [f"| `{path}` | {text} | {shown} |" for path, text, shown in table]
    block = "\n".join([START, *lines, END])
    readme = chart / "README.md"
    old = readme.read_text()
    new = re.sub(re.escape(START) + ".*?" + re.escape(END), lambda _: block, old, flags=re.S)
    if write:
        readme.write_text(new)
        return
    if START not in old:
        problems.append("the table's marks are missing")
    if new != old:
        problems.append("the table differs; run dev/helm-check --write-readme")
    say("README: the table is values.yaml", problems)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), "--write" in sys.argv)
