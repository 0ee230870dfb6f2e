"""What each command does; ``cli.py`` reads the options."""
