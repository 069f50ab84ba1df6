"""What the trainer says while it works, and what it can be asked."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

from PIL import Image

from lora_train.observer import ConsoleObserver, JsonLinesObserver, NullObserver, RecordingObserver
from lora_train.say import say, speaking
from lora_train.training import metrics_file
from lora_train.training.checkpoint import RunFolder
from lora_train.training.history import LineReader
from lora_train.training.run import _pass_on, clean_environment
from lora_train.training.stopping import StopFlag, Wishes
from lora_train.training.usage import peak_memory_bytes
from lora_train.training.worker import WorkerObserver, obey


def say_everything(observer: JsonLinesObserver) -> None:
    observer.metric(3, loss=0.5, loss_smooth=0.6)
    observer.signal(3, likeness=0.75, variety=None)
    observer.best(3, "likeness 0.75")
    observer.alarm("prompt_ignored", "Samples ignore the prompt.", 3)
    observer.sample(3, [Image.new("RGB", (8, 8))])
    observer.saved(3, Path("/somewhere/my.safetensors"))


def test_what_the_worker_says_is_in_the_file_and_reaches_the_parents_observer(tmp_path: Path) -> None:
    stream, folder = io.StringIO(), RunFolder(tmp_path / "my.safetensors")
    ours, theirs = WorkerObserver(stream, folder, StopFlag()), RecordingObserver()
    ours.prompts = ("photo of ohwx",)
    ours.open_metrics()
    say_everything(ours)
    for line in stream.getvalue().splitlines():
        _pass_on(json.loads(line), theirs)
    rows = list(metrics_file.read(folder.metrics))
    assert [row["event"] for row in rows] == ["metric", "signal", "best", "alarm", "sample", "saved"]
    assert rows[0]["loss"] == 0.5 and rows[0]["memory_bytes"] > 1_000_000
    assert rows[1] == {"event": "signal", "step": 3, "likeness": 0.75, "variety": None}
    assert rows[4] == {
        "event": "sample", "step": 3, "paths": ["samples/step_000003_0.png"], "prompts": ["photo of ohwx"],
    }  # fmt: skip
    assert (folder.path / rows[4]["paths"][0]).is_file() and rows[5]["path"] == "my.safetensors"
    assert [name for name, _ in theirs.events] == ["metric", "signal", "best", "alarm", "sample", "saved"]
    assert theirs.of("best") == [(3, "likeness 0.75")] and theirs.of("alarm")[0][0] == "prompt_ignored"
    assert theirs.of("saved") == [(3, Path("/somewhere/my.safetensors"))]


def test_the_null_observer_takes_everything_and_the_console_says_alarms() -> None:
    stream = io.StringIO()
    for observer in (NullObserver(), ConsoleObserver(stream)):
        observer.signal(1, likeness=1.0)
        observer.best(1, "why")
        observer.alarm("nan", "The loss became NaN.", 7)
        observer.saved(1, Path("a.safetensors"))
    assert stream.getvalue() == "Step 7: The loss became NaN.\nStep 1: saved 'a.safetensors'.\n"


def test_a_resumed_file_never_goes_back_and_half_a_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    metrics_file.begin(path)
    for step in range(5):
        metrics_file.append(path, {"event": "metric", "step": step, "loss": math.nan if step == 2 else 0.5})
    with open(path, "a") as file:
        file.write('{"event": "metric", "st')
    assert [row["step"] for row in metrics_file.read(path)] == [0, 1, 2, 3, 4]
    metrics_file.begin(path, until_step=2)
    assert [row["step"] for row in metrics_file.read(path)] == [0, 1, 2]
    assert path.read_text().count("\n") == 3 and '"loss": null' in path.read_text()
    metrics_file.begin(path)
    assert not list(metrics_file.read(path))


def test_lines_of_an_older_run_without_event_count_as_metrics(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 0.5}\n[1]\n{"loss": 1}\n')
    assert list(metrics_file.read(path)) == [{"event": "metric", "step": 1, "loss": 0.5}]


def test_the_worker_obeys_four_words_and_passes_over_others() -> None:
    stop, wishes = StopFlag(), Wishes()
    for line in ("save", "save", "dance", ""):
        obey(line, stop, wishes)
    assert (wishes.take("save"), wishes.take("save"), wishes.take("sample")) == (True, False, False)
    assert not stop.requested
    obey("sample", stop, wishes)
    obey("stop", stop, wishes)
    obey("cancel", stop, wishes)
    assert wishes.take("sample") and stop.reason == "stopped"


def test_a_stop_by_the_signals_hurries_nobody_and_a_user_does() -> None:
    stop = StopFlag()
    stop.request("signal", urgent=False)
    assert stop.requested and not stop._urgent.is_set()
    stop.request("cancelled")
    assert stop._urgent.is_set() and stop.reason == "signal"
    stop.wait_urgent()


def test_peak_memory_is_that_of_a_process_with_torch_in_it() -> None:
    assert 20_000_000 < peak_memory_bytes() < 10**12


def test_messages_travel_and_are_kept_as_keys_and_read_in_the_readers_language(tmp_path: Path) -> None:
    folder, stream = RunFolder(tmp_path / "my.safetensors"), io.StringIO()
    folder.path.mkdir()
    worker = WorkerObserver(stream, folder, StopFlag())
    text = say("training.enough", likeness=0.71, step=40, lost=say("training.lost_variety", share=0.3))
    worker.alarm("enough", text, 60)
    kept = json.loads(folder.metrics.read_text("utf-8"))
    assert kept["text"]["key"] == "training.enough" and kept["text"]["values"]["lost"]["values"] == {"share": 0.3}
    with speaking("ru"):
        (line,) = LineReader(folder.metrics).news()
        parent = RecordingObserver()
        _pass_on(json.loads(stream.getvalue()), parent)
    said = "сходство не выросло выше 0,71 с шага 40, и осталось лишь 30\N{NO-BREAK SPACE}% разнообразия базы"
    assert line["text"] == said and parent.of("alarm") == [("enough", said, 60)]


def test_the_worker_speaks_its_parents_language() -> None:
    with speaking("zh"):
        assert clean_environment({"LORASMITH_LANGUAGE": "en", "LANG": "en_US.UTF-8"})["LORASMITH_LANGUAGE"] == "zh"
