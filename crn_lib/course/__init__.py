"""What only a lesson needs: parameters, predictions, widgets, exercises, quizzes and claims."""

from crn_lib.course.ablation_widget import AblationRun
from crn_lib.course.checks import CheckFailed, check
from crn_lib.course.claims import claim
from crn_lib.course.claims_table import show_claims
from crn_lib.course.figures import LiveFigure, bind, show
from crn_lib.course.live import copy_widget, fill_up, train_live
from crn_lib.course.machine import show_findings
from crn_lib.course.parameters import ParameterError, begin, letters, one_of, whole_number
from crn_lib.course.predict import predict, predict_choice
from crn_lib.course.quiz import quiz
from crn_lib.course.relation_widget import RelationWidget, relation_map
from crn_lib.course.sweep_widget import SweepTable
from crn_lib.course.training_widget import TrainingWidget

__all__ = [
    "AblationRun",
    "CheckFailed",
    "LiveFigure",
    "ParameterError",
    "RelationWidget",
    "SweepTable",
    "TrainingWidget",
    "begin",
    "bind",
    "check",
    "claim",
    "copy_widget",
    "fill_up",
    "letters",
    "one_of",
    "predict",
    "predict_choice",
    "quiz",
    "relation_map",
    "show",
    "show_claims",
    "show_findings",
    "train_live",
    "whole_number",
]
