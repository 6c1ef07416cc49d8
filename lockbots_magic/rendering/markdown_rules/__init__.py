"""Rules of Markdown as models write it, where CommonMark reads something else."""
