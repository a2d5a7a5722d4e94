"""The pictures of a study, made from a network and images: the only part of the study that needs torch."""
