"""`crn bench`: the operator, the models and decoding against named baselines."""

from pathlib import Path
from typing import Annotated

import typer

from crn_lib.commands.output import check_file, check_folder, print_table
from crn_lib.config import ConfigError, require, require_choice


def bench(
    only: Annotated[str, typer.Option(help="Only cases whose name holds this text.")] = "",
    longest: Annotated[int, typer.Option(help="Only cases up to this length, in tokens.")] = 100_000,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(
            help="File of the rows: bench.jsonl, bench_cuda.jsonl, or bench_avx2.jsonl where NUMBA_CPU_NAME asks for "
            "it, in figures/data, or in out for a part of the cases."
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Folder of the figure: figures/, or beside the rows where these go elsewhere.")
    ] = None,
    busy: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="Instead, time the relation and a training step beside so many processes that only compute; may be "
            "given several times.",
        ),
    ] = None,
    profile: Annotated[bool, typer.Option(help="Instead, show where the time of a training step goes.")] = False,
) -> None:
    """Time the operator, the models and decoding against named baselines, in one run."""
    from crn_lib import bench as benches
    from crn_lib.device import pick_device
    from crn_lib.paths import output
    from crn_lib.viz import draw_bench
    from crn_lib.workbook.figure_files import store_figure

    require_choice("--device", device, ("cpu", "cuda"))
    pick_device(device)
    if profile:
        require(device == "cpu", f"--profile is of a step on the CPU; got --device {device}")
        step = benches.profile_step()
        parts = step.table()
        print_table(parts[0], parts[1:])
        typer.echo(f"{step.undisturbed:.1f} ms a step without the profiler")
        return
    if busy:
        require(device == "cpu", f"--busy is about processors; got --device {device}")
        file = out or output("out") / "bench_busy.jsonl"
        check_file(file)
        rows = [row for count in busy for row in benches.busy_rows(count)]
        lines = benches.busy_table(rows)
        print_table(lines[0], lines[1:])
        benches.store(rows, file)
        typer.echo(f"{rows[0]['processor']}, {rows[0]['vectors']}; rows in {file}")
        return
    cases = benches.CASES if device == "cpu" else benches.GPU_CASES
    chosen = [case for case in cases if only in case.name and case.length <= longest]
    if not chosen:
        names = "; ".join(sorted({case.name for case in cases}))
        raise ConfigError(f"no case of length up to {longest} has {only!r} in its name; there are {names}")
    complete = len(chosen) == len(cases)
    file, picture = benches.destination(out, figure, complete=complete, device=device)
    check_file(file)
    check_folder(picture.parent)
    rows, disagreements = benches.run_cases(chosen)
    if complete and rows:
        first_call = benches.first_call_seconds(device)
        rows = [row | first_call for row in rows]
        waits = [f"{name.removesuffix('_seconds').replace('_', ' ')} {wait:.2f} s" for name, wait in first_call.items()]
        typer.echo(f"in a fresh process, kernels cached: {', '.join(waits)}")
    lines = benches.table(rows)
    print_table(lines[0], lines[1:])
    for line in benches.not_run(rows):
        typer.echo(line)
    if disagreements:
        file, picture = benches.destination(out, figure, complete=False, device=device)
    if rows:
        benches.store(rows, file)
        typer.echo(f"{benches.limits_in_words(rows[0])}; rows in {file}")
    measured = {row["case"] for row in rows}
    drawn = [case for case in benches.PANEL_CASES if case in measured]
    if drawn:
        typer.echo(store_figure(draw_bench(rows, drawn), picture))
    if out is None and (disagreements or not complete):
        typer.echo(f"not all of the {len(cases)} cases: the workbook's stored rows and figure stay as they were")
    for disagreement in disagreements:
        typer.echo(f"error: {disagreement}", err=True)
    if disagreements:
        raise typer.Exit(1)
