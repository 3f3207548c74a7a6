"""Grading: a student's answers in processes of their own, with nbgrader for grades, gradebook and feedback."""
