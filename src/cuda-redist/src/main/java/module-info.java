/// CUDA libraries from Maven: unpacks those that the engine needs from the jars of `org.bytedeco:cuda`.
module io.github.sgpt4j.cudaredist {
    requires io.github.sgpt4j.engine;
    requires org.bytedeco.javacpp;

    provides io.github.sgpt4j.backend.cuda.ffi.CudaFolder with
            io.github.sgpt4j.cudaredist.RedistFolder;
}
