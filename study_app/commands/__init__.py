"""The commands of `spade-study` that a server of the study carries out, one file a group."""
