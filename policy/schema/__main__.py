"""Write the files of the schema anew: `make schema`."""

from policy.schema.files import DEFINITIONS, made

if __name__ == "__main__":
    texts = made()
    DEFINITIONS.mkdir(parents=True, exist_ok=True)
    for old in {*DEFINITIONS.glob("*.yaml")} - texts.keys():
        old.unlink()
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
