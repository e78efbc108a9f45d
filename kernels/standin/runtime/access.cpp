// Answers the calls that -fsanitize=thread and -fsanitize=alignment put around the kernels' loads and stores.
