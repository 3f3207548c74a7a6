"""The models that ship for pages, as the library reads them, and the task they were trained on."""

from safetensors.torch import load

from crn_lib.course import frontend
from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.tasks import CopyingConfig, CopyingTask

TASK = CopyingTask(CopyingConfig(string_length=32, shortest=1))


def shipped(kind: str) -> SequenceModel:
    model = build_model(ModelConfig(**frontend.shipped_row(kind)["model"]))
    model.load_state_dict(load(frontend.shipped_model(kind)))
    return model
