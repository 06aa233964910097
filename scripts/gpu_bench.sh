#!/bin/bash
# Full size on a bare machine: a GPU, CUDA's compiler, cmake, ninja, a Python 3.12 with the common
# packages, no network. docs/log.md has the whole commands.
#   gpu_bench.sh pack    here: put what that machine lacks into .gpu/, in two parts of some 40 MB
#   gpu_bench.sh begin   there, with .gpu/a.tar.xz: compile llama.cpp in the background
#   gpu_bench.sh finish  there, with .gpu/b.tar.xz: wait for the compiler; write /tmp/gpu.env
set -euo pipefail
cd "$(dirname "$0")/.."

TAGS=(manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014)
WHEELS=(ctranslate2 faster-whisper piper-tts silero-vad gguf espeakng-loader unicode-rbnf emoji babel av
    diskcache pathvalidate)
SECOND=(av av.libs piper espeakng_loader babel silero_vad emoji)
CUT=(piper/hebrew piper/tashkeel piper/train silero_vad/data/*.jit silero_vad/data/*.safetensors)
BACKENDS=(cann et hexagon metal opencl openvino sycl virtgpu vulkan webgpu)
NOT_BUILT=(COMMON TESTS TOOLS EXAMPLES SERVER APP)

pinned() { # for Python 3.12, of which a lock tells last
    for name in "$@"; do grep -oE "^$name==[0-9a-z.]+" requirements/cpu.lock | tail -n 1; done
}

pack() {
    local work source platforms wheels
    mapfile -t wheels < <(pinned "${WHEELS[@]}")
    work=$(mktemp -d)
    read -ra platforms <<< "$(printf -- "--platform %s_x86_64 " "${TAGS[@]}")"
    source=$(grep -o 'llama-cpp-python==[0-9.]*' pyproject.toml)
    python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
        --implementation cp "${platforms[@]}" -d "$work/wheels" "${wheels[@]}"
    python3 -m pip download -q --no-deps --no-binary=llama-cpp-python -d "$work" "$source"
    mkdir -p "$work/site" "$work/llama" .gpu
    for wheel in "$work"/wheels/*.whl; do unzip -qo "$wheel" -d "$work/site"; done
    tar xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/llama" --strip-components=1
    mv "$work/llama/llama_cpp" "$work/site/"
    (cd "$work/site" && rm -rf "${CUT[@]}")
    (cd "$work/llama/vendor/llama.cpp" && rm -rf docs models tools tests benches examples \
        "${BACKENDS[@]/#/ggml/src/ggml-}")
    tar c -C "$work/site" "${SECOND[@]}" | xz -T0 > .gpu/b.tar.xz
    (cd "$work/site" && rm -rf "${SECOND[@]}")
    tar c -C "$work" site -C llama/vendor llama.cpp | xz -T0 > .gpu/a.tar.xz
    rm -rf "$work"
    ls -l .gpu
}

begin() {
    tar xJf .gpu/a.tar.xz -C /tmp
    cmake -S /tmp/llama.cpp -B /tmp/llama -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_CUDA=ON \
        -DCMAKE_CUDA_ARCHITECTURES=90 -DBUILD_SHARED_LIBS=ON \
        $(printf -- '-DLLAMA_BUILD_%s=OFF ' "${NOT_BUILT[@]}")
    setsid nohup sh -c 'cmake --build /tmp/llama; echo $? > /tmp/llama/status' \
        > /tmp/llama/log 2>&1 &
}

finish() {
    local cublas
    tar xJf .gpu/b.tar.xz -C /tmp/site
    # CTranslate2 asks for cuBLAS 12 by name; what it calls of it is the same in 13.
    cublas=$(dirname "$(find / -name libcublas.so.13 -not -path '/proc/*' | head -n 1)")
    mkdir -p /tmp/cublas
    ln -sf "$cublas/libcublas.so.13" /tmp/cublas/libcublas.so.12
    ln -sf "$cublas/libcublasLt.so.13" /tmp/cublas/libcublasLt.so.12
    until [ -e /tmp/llama/status ]; do sleep 2; done
    tail -n 3 /tmp/llama/log
    [ "$(cat /tmp/llama/status)" = 0 ]
    cat > /tmp/gpu.env <<ENV
export PYTHONPATH=/tmp/site LD_LIBRARY_PATH=/tmp/cublas:$cublas LLAMA_CPP_LIB_PATH=/tmp/llama/bin
export CUDA_CACHE_PATH=/tmp/cuda CUDA_CACHE_MAXSIZE=4294967296 PYTHONUNBUFFERED=1
ENV
}

"$1"
