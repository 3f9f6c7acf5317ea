"""Faces and expressions read from frames: pictures in, probabilities out, never a verdict on a person.

    detect         where the faces of a frame are (MTCNN); another detector is a class with `find(frame)`
    track          one face followed between detections, and when it went or a second one came
    reader         frames in, a `FaceTrack` out: a row a frame, NaN where there is not exactly one face
    verdict        seven classes to three, frames to a clip, against the own rest, beside what was said
    fer            the contract of every expression model: seven classes, `load(name or path)`
    card           what a model says of itself: data, figures, temperature, limits, hash of its weights
    networks       the networks themselves: VGG19 of the EmoMusic paper, and the small one that ships
    network_model  a network with its weights and card as an expression model
    onnx_model     somebody's ONNX file as an expression model
    weights/       what ships: `small.safetensors` beside `small.json`

Arrays come in (frames, or faces of 48×48 grey), arrays go out; no recording and no window is known here.
torch is loaded when a model is, not when this room is imported. Without weights there is `NoWeights`,
which callers turn into "unknown", never into a guess. A new model is one line in `fer.MODELS`, its
network in `networks`, and its weights with a card (`emolab train fer` writes both).
"""
