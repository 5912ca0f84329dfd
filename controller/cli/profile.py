"""`gridwright profile`: measure a model on a running Triton, or read what somebody else measured of one."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controller.cli.arguments import AsJson
from controller.cli.errors import CliError, Exit, in_two
from controller.cli.terminal import console, print_table, write_json

if TYPE_CHECKING:
    from controller.cli.profiling import Asked
    from controller.profiling.document import Profiled
    from controller.profiling.measured import Progress

Model = Annotated[str, typer.Argument(metavar="[MODEL]", help="The model, as the server calls it: MODEL--VARIANT.")]
ServerAt = Annotated[str, typer.Option("--server", metavar="HOST:PORT", help="The server's gRPC address.")]
MetricsAt = Annotated[
    str, typer.Option("--metrics", metavar="HOST:PORT", help="Its metrics address, which tells the memory of GPUs.")
]
FromCsv = Annotated[
    Path | None,
    typer.Option("--from-csv", metavar="FILE", help="Read a table of perf_analyzer or Model Analyzer instead."),
]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="The device, which the document is named after.")]
Variant = Annotated[str, typer.Option("--variant", metavar="NAME", help="The variant, if the model's name has none.")]
Sample = Annotated[
    Path | None,
    typer.Option("--input", metavar="FILE", help="One item of each input, as .npz or JSON; made up without it."),
]
Budget = Annotated[str, typer.Option("--budget", metavar="TIME", help="The time that measuring may take.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", help="Where the document goes; a report (.html) and the state go beside it."
    ),
]


def profile(
    model: Model = "",
    *,
    server: ServerAt = "",
    metrics: MetricsAt = "",
    from_csv: FromCsv = None,
    device: Device = "",
    variant: Variant = "",
    sample: Sample = None,
    budget: Budget = "3m",
    output: Output = None,
    as_json: AsJson = False,
) -> int:
    """Measure how a model behaves on a device, and write it as a DeviceProfile document.

    It puts load on the server and loads the model anew with other instance counts, so give it one that serves nobody.
    With --output, a run that was cut short goes on where it stopped. Exits 0 when all is known, 2 when the time was up
    before, and 1 on errors.
    """
    if bool(server) == bool(from_csv):
        raise CliError("profile measures a server or reads a table", "give either MODEL and --server, or --from-csv")
    if from_csv:
        return _read(from_csv, model, device, variant, output, as_json=as_json)
    if not model or not device:
        raise CliError("a server runs many models and does not tell its device", "give MODEL and --device NAME")
    from controller.cli.profiling import Asked, seconds

    state = output.with_suffix(".state.json") if output else None
    asked = Asked(model, server, metrics, sample, seconds(budget), state)
    return _measure(asked, device, variant, output, as_json=as_json)


def _read(path: Path, model: str, device: str, variant: str, output: Path | None, *, as_json: bool) -> int:
    from controller.performance.tables.errors import TableError
    from controller.performance.tables.formats import Unstated
    from controller.performance.tables.reading import read_table
    from controller.profiling.from_table import TableUseError, from_rows, named

    try:
        rows = read_table(path, Unstated(model=model, device=device))
        if model:
            rows = tuple(row for row in rows if row.setup.model == model)
        devices = sorted({row.device for row in rows})
        if not device and len(devices) == 1:
            device = devices[0]
        if not device:
            raise CliError(f"{path} has rows of {len(devices)} devices: {', '.join(devices)}", "choose by --device")
        found = from_rows(rows, device, variant)
    except (TableError, TableUseError) as error:
        raise in_two(error, ": ") from error
    return _written(found, named(device), output, {}, as_json=as_json)


def _measure(asked: "Asked", device: str, variant: str, output: Path | None, *, as_json: bool) -> int:
    import asyncio

    from collectors.triton_names import model_and_variant
    from controller.cli.profiling import carried_out
    from controller.profiling.document import profiled

    progress, complete = asyncio.run(carried_out(asked))
    model, named_variant = model_and_variant(asked.model) or (asked.model, "default")
    if not as_json:
        _show(progress)
    found = profiled(model, variant or named_variant, progress)
    _written((found,), device, output, {"measured": asdict(progress), "complete": complete}, as_json=as_json)
    if output:
        _report(output.with_suffix(".html"), f"{asked.model} on {device}", progress, output.read_text(encoding="utf-8"))
    if asked.state and complete:
        asked.state.unlink(missing_ok=True)
    return Exit.DONE if complete else Exit.CHANGE


def _written(
    found: "tuple[Profiled, ...]", device: str, output: Path | None, more: Mapping[str, Any], *, as_json: bool
) -> int:
    from controller.profiling.document import DocumentError, document

    try:
        text = document(device, found)
    except DocumentError as error:
        raise CliError(f"no valid DeviceProfile: {error}", "see docs/profiling.md for how names are chosen") from error
    if output:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CliError(f"{output} cannot be written ({error.strerror})", "give another --output") from error
    if as_json:
        write_json({"device": device, "variants": found, "document": text, **more})
    elif output:
        console().print(f"Written to {output}.", markup=False)
    else:
        console().print(text, markup=False)
    return Exit.DONE


def _show(progress: "Progress") -> None:
    out = console()
    rows = [
        [
            str(point.batch),
            str(point.requests),
            f"{point.mean_us / 1000:.2f}",
            f"{100 * point.relative_error:.1f}",
            f"{point.client_p99_us / 1000:.2f}",
        ]
        for point in progress.batches
    ]
    print_table(out, "service time", ["batch", "requests", "mean ms", "+- %", "client p99 ms"], rows)
    if progress.instances:
        rows = [
            [str(point.instances), f"{point.answered_rps * point.batch:.1f}", f"{point.load_us / 1e6:.2f}"]
            for point in progress.instances
        ]
        print_table(out, "instances", ["instances", "items/s", "load s"], rows)
    if progress.checks:
        rows = [
            [
                f"{point.rate_rps:.0f}",
                *(
                    f"{seen / 1000:.1f} ({predicted / 1000:.1f})"
                    for seen, predicted in zip(point.seen_us, point.predicted_us, strict=True)
                ),
            ]
            for point in progress.checks
        ]
        print_table(out, "open loop, seen (predicted)", ["req/s", "p50 ms", "p95 ms", "p99 ms"], rows)
    for note in progress.notes:
        out.print(note, markup=False)


def _report(path: Path, title: str, progress: "Progress", text: str) -> None:
    try:
        from controller.profiling.report import report
    except ImportError:
        console().print("No report: it needs matplotlib (pip install 'gridwright[embedded]').", markup=False)
        return
    path.write_text(report(title, progress, text), encoding="utf-8")
