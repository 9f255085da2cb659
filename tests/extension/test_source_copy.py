import subprocess

from tests.extension.source_copy import SourceCopy


def test_copy_runs_its_own_code(source: SourceCopy) -> None:
    source.insert(
        "src/housectl/cli/main.py",
        after="typer.echo(f\"housectl {version('housectl')}",
        text=" from a copy",
    )
    output = subprocess.run(
        [source.housectl, "--version"], capture_output=True, text=True, check=True
    )
    assert output.stdout.rstrip().endswith(" from a copy")
