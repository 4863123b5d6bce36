"""What command lines share: groups of commands, options, progress bars."""
