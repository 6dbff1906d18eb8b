"""How a check says what it found: one line each, counted by dev/helm-check."""


def say(name, problems):
    """Prints `ok` for an empty list of problems, else one `FAIL` line that names them all."""
    if problems:
        print(f"FAIL {name}: " + "; ".join(problems), flush=True)
    else:
        print(f"ok   {name}", flush=True)


def merged(base, over):
    """Values as Helm merges them: maps by key, everything else replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: merged(base.get(key), over[key]) if key in over else base[key] for key in {**base, **over}}
    return over
