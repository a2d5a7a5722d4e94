"""The scale smoke on woven cloths: its network, backdoor and samples, and every table that smoke has."""

SCALE = {
    "like": "smoke",
    "title": "Woven cloths, as small as smoke",
    "images": {"dataset": "weave", "noise": 0.03},
    "backdoor": {"patch_side": 14},
}
