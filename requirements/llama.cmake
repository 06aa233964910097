# Included by llama.cpp's own project(). A cache entry would be forced back on by llama-cpp-python.
set(LLAMA_BUILD_COMMON OFF)
set(CMAKE_PLATFORM_NO_VERSIONED_SONAME ON)
