"""`spade-bench audit`: the paper held against its own numbers."""

import json
import sys

import click


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every claim, also those that hold and those nobody can check.")
@click.option("--json", "form", flag_value="json", help="As JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="As Markdown.")
@click.option("--check", is_flag=True, help="Exit with 1 unless exactly the known findings are found.")
def audit(form: str | None, *, everything: bool, check: bool) -> None:
    """Hold the paper against its own numbers and print what does not hold.

    Nothing is computed but arithmetic on printed cells. Exits with 0 whatever it finds, since the paper does not
    change; --check exits with 1 if the findings are not those gone through by hand (benchmark/claims/known.toml).
    """
    from ..claims import audit as audits
    from ..claims import said

    found = audits.audit()
    if form == "json":
        click.echo(json.dumps(said.data(found), indent=1, ensure_ascii=False))
    elif form == "markdown":
        click.echo(said.markdown(found, everything=everything), nl=False)
    else:
        click.echo(said.text(found, everything=everything), nl=False)
    if check:
        unlike = audits.unlike_known(found)
        for sentence in unlike:
            click.echo(f"{sentence}.", err=True)
        sys.exit(1 if unlike else 0)
