"""Reports: tables, plots and a page from result files. ``command.py`` has the verbs, ``evaluation.py`` what they are made from."""
