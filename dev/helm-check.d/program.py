"""Asks the program itself whether it knows the arguments and settings that the chart gives it.

usage: program.py PROGRAM RENDERED...
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

from report import say

SAMPLES = {"MOORING_DATABASE__URL_FILE": "postgres://u:p@127.0.0.1:1/mooring", "MOORING_REDIS__URL_FILE": "redis://127.0.0.1:1",
           "MOORING_MEDIA__SIGNING_KEY_FILE": "a key that signs nothing but this check"}


def run(command, settings=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MOORING_")}
    return subprocess.run(command, env={**clean, **(settings or {})}, capture_output=True, text=True, timeout=30)


def settings_of(container, folder):
    """The container's environment, with sample files for URLs. The key ring is left out: its content is no business of a chart."""
    settings = {e["name"]: e["value"] for e in container["env"] if e["name"].startswith("MOORING_") and not e["name"].endswith("_FILE")}
    for name, sample in SAMPLES.items():
        if any(e["name"] == name for e in container["env"]):
            path = folder / name
            path.write_text(sample)
            settings[name] = str(path)
    return settings


def main(program, rendered):
    with tempfile.TemporaryDirectory() as folder:
        for path in rendered:
            for o in yaml.safe_load_all(path.read_text()):
                if not o or o["kind"] not in ("Deployment", "Job"):
                    continue
                container = o["spec"]["template"]["spec"]["containers"][0]
                help_ = run([program, *container["args"], "--help"])
                config = run([program, "config", "check"], settings_of(container, pathlib.Path(folder)))
                problems = [f"{what}: {r.stderr.strip()[-300:] or r.stdout.strip()[-300:]}"
                            for what, r in (("arguments", help_), ("settings", config)) if r.returncode]
                say(f"{path.stem}: the program knows what {o['metadata']['name']} gives it", problems)


if __name__ == "__main__":
    main(sys.argv[1], [pathlib.Path(p) for p in sys.argv[2:]])
