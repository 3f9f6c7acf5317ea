"""Networks and classical models that read states from a body: one file per paper, arrays in, logits out.

    classifier   what every model says of itself (`Spec`), what one that learns can do; `make(name)`
    choices      what can be chosen of how a model is made: ablation, depth, width, component, input
    examples     what a model learns from: inputs, labels, and whose each row is
    eda_inputs   decomposed skin conductance as the networks take it: curves, and the signal image
    rtcan        RTCAN-1D, and RTCAG, the same without music; with the ablation and the depth/width study
    rtcan_blocks what it is made of: attention over channels, attention over times, residual blocks
    moments      convolutions over time whose channels lie side by side, twice as fast
    res_sin      Res-SIN, and Res-SI, the same without music: skin conductance as a picture
    feature_cnn  three convolutions over 128 hand-crafted figures, what RTCAN-1D is compared with
    svm          linear support vector machines: of the same figures, and of music alone
    forest       a random forest of the same figures, the floor
    regression   ratings out of the tonic or the phasic part: linear, and by support vectors
    tabular      what models of figures share: scaling, and arrays kept as files
    grad_cam     where in time a network looked
    onnx_networks  our networks for onnxruntime, which answers sooner on a CPU; onnx_graph writes the file

Networks are plain `nn.Module`; how they learn is the business of `training`, where the data come from of
`datasets`. `variant="reference"` is what is right, `"authors"` what their programs did, where a printed
figure hangs on it. torch is loaded when a network is made, not when this room is imported.

A new model is a file, whose docstring gives the paper, the shape of the input and where we differ, and a
line below: a name, and what makes the model when called without arguments. Parameter counts are tested.
"""

# name: what makes the model; each has a `spec`
MODELS: dict[str, str] = {
    "rtcan": "emolab.models.rtcan:Rtcan",
    "rtcag": "emolab.models.rtcan:rtcag",
    "res_sin": "emolab.models.res_sin:ResSin",
    "res_si": "emolab.models.res_sin:res_si",
    "feature_cnn": "emolab.models.feature_cnn:FeatureCnn",
    "svm": "emolab.models.svm:Svm",
    "music_svm": "emolab.models.svm:MusicSvm",
    "forest": "emolab.models.forest:Forest",
    "mlr": "emolab.models.regression:Mlr",
    "mlr_tonic": "emolab.models.regression:MlrTonic",
    "svr": "emolab.models.regression:Svr",
    "svr_tonic": "emolab.models.regression:SvrTonic",
}
# of those that leave something to choose in how they are made: what
CHOICES: dict[str, str] = {
    **dict.fromkeys(("rtcan", "rtcag"), "emolab.models.rtcan:CHOICES"),
    **dict.fromkeys(("res_sin", "res_si"), "emolab.models.res_sin:CHOICES"),
    **dict.fromkeys(("mlr", "mlr_tonic", "svr", "svr_tonic"), "emolab.models.regression:CHOICES"),
}
# those that want figures of the music, too
LISTENING = ("rtcan", "res_sin", "music_svm")
