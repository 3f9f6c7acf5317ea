"""Real drivers, in a small Linux of their own: camera, USB board and sound card as the kernel makes them.

    guest          boots it: Debian's kernel under qemu, this machine's files, one Python module
    inside         that module: loads the drivers, runs the parts, writes down what they saw
    real_camera, real_thermal, real_board, real_sound   the parts
    gadget_board   the simulated board at the other end of a real USB cable
    recorded       one instrument recorded as the engine does
    test_real_devices   what they saw, judged

Run it with `EMOLAB_GUEST=1 pytest -m guest tests/guest` on a machine that has nothing else to do: some three
minutes, and 70 MB fetched the first time. It needs qemu-system-x86, busybox-static, cpio and kmod.
One more driver is its module in `guest.DEVICE_MODULES` and `inside.DRIVERS`, and a part of its own.
"""
