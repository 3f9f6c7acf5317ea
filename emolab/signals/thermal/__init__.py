"""The warmth of a face: where it is in a thermal film, and how warm face, nose and forehead are.

    heat         `read_heat`: a film of hours in pieces, once; then the figures of any stretch
    follow       from frame to frame: the face where it was, looked for anew when it is not there
    find         the head in one picture: the warm shape that is most like one
    candidates   all its warm shapes that might be one
    shapes       the loops over their pixels
    measure      face, nose and forehead in one frame, and how warm they are
    calibration  from the RGB camera's pixels to the thermal camera's, fitted from pairs of points
    pairing      the same from the faces that both cameras saw
    spare        heads that were not found, measured where the RGB camera says they are

Frames come in, degrees go out. Every threshold is a difference: a constant added to a film is added to
every figure and moves no region (spec §1.7). What is no skin of one face (nobody there, cut off by the
border, the shutter shut, broken numbers) gives NaN and a reason, never a temperature.
"""
