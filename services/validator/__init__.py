"""The validator: is this pull request worth a review, and what exactly changed in it?"""
