"""What only a lesson needs: parameters, predictions, widgets, exercises, quizzes and claims."""

from crn_lib.course.checks import CheckFailed, check
from crn_lib.course.claims import claim
from crn_lib.course.figures import LiveFigure, bind, show
from crn_lib.course.parameters import ParameterError, begin, one_of, whole_number
from crn_lib.course.predict import predict, predict_choice
from crn_lib.course.quiz import quiz

__all__ = [
    "CheckFailed",
    "LiveFigure",
    "ParameterError",
    "begin",
    "bind",
    "check",
    "claim",
    "one_of",
    "predict",
    "predict_choice",
    "quiz",
    "show",
    "whole_number",
]
