"""What only a lesson needs: parameters, predictions, widgets, exercises, quizzes and claims."""

from crn_lib.course.checks import NotAttempted
from crn_lib.course.claims import claim
from crn_lib.course.claims_table import show_claims
from crn_lib.course.exercises import check
from crn_lib.course.failures import CheckFailed
from crn_lib.course.figures import LiveFigure, bind, show
from crn_lib.course.machine import show_findings
from crn_lib.course.parameters import ParameterError, begin, letters, one_of, whole_number
from crn_lib.course.predict import predict, predict_choice
from crn_lib.course.quiz import quiz
from crn_lib.course.tables import table
from crn_lib.course.widgets.ablation import AblationRun
from crn_lib.course.widgets.copier import Copier
from crn_lib.course.widgets.line import FittedLine
from crn_lib.course.widgets.live import copy_widget, fill_up, train_live
from crn_lib.course.widgets.memory import MemoryBoxes
from crn_lib.course.widgets.relation import RelationWidget, relation_map
from crn_lib.course.widgets.rows import DictionaryPlane, NormsOfAPair
from crn_lib.course.widgets.sweep import SweepTable
from crn_lib.course.widgets.train_in_page import TrainInPage
from crn_lib.course.widgets.training import TrainingWidget

__all__ = [
    "AblationRun",
    "CheckFailed",
    "Copier",
    "DictionaryPlane",
    "FittedLine",
    "LiveFigure",
    "MemoryBoxes",
    "NormsOfAPair",
    "NotAttempted",
    "ParameterError",
    "RelationWidget",
    "SweepTable",
    "TrainInPage",
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
    "table",
    "train_live",
    "whole_number",
]
