"""IPython integration: extension, magics, commands, completion, session."""
