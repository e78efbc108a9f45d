// What device code writes as inline PTX: asynchronous copies, matrix fragments. Names follow PTX.
