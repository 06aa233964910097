#!/bin/bash
# Full size on a bare machine: a GPU, CUDA's compiler, cmake, ninja, a Python 3.12 with the common
# packages, no network. docs/log.md has the whole commands.
#   gpu_bench.sh pack    here: put what that machine lacks into .gpu/, in two parts
#   gpu_bench.sh begin   there, with .gpu/a.tar.xz: compile llama.cpp in the background
#   gpu_bench.sh finish  there, with .gpu/b.tar.xz: wait for the compiler; write $PLACE/gpu.env
# To rehearse it without a GPU: CUDA=OFF PLACE=<empty folder>, with any file named libcublas.so.13
# in it.
set -euo pipefail
cd "$(dirname "$0")/.."

CUDA=${CUDA:-ON}
PLACE=${PLACE:-/tmp}
MOST_MB=64 # that travel with a call: the working tree and one part
TAGS=(manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014)
# What that machine has of our dependencies, and what llama-cpp-python, Piper and the benchmarks ask
# for besides.
HAS=(aiohttp jinja2 numpy onnx onnxruntime prometheus-client sentencepiece tokenizers)
BESIDES=(diskcache pathvalidate gguf)
SECOND=(av av.libs piper silero_vad emoji)
CUT=(piper/hebrew piper/train piper/img)
LOCALES='(root|((en|es|fr|hi|fil|tl)(_.*)?))[.]dat' # of Babel
BACKENDS=(cann et hexagon metal opencl openvino sycl virtgpu vulkan webgpu)
NOT_BUILT=(COMMON TESTS TOOLS EXAMPLES SERVER APP)

wheels() {
    sed -n '/^dependencies = \[/,/^\]/s/^ *"\([a-z0-9-]*\).*/\1/p' pyproject.toml |
        grep -vxF -f <(printf '%s\n' "${HAS[@]}" llama-cpp-python)
    printf '%s\n' "${BESIDES[@]}"
}

pinned() { # for Python 3.12, of which a lock tells last
    for name in "$@"; do grep -oE "^$name==[0-9a-z.]+" requirements/cpu.lock | tail -n 1; done
}

pack() {
    local work source platforms names wheels tree part with_tree
    mapfile -t names < <(wheels)
    mapfile -t wheels < <(pinned "${names[@]}")
    [ "${#wheels[@]}" = "${#names[@]}" ] || { echo "A lock names not all of: ${names[*]}"; return 1; }
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
    find "$work/site/babel/locale-data" -regextype posix-extended -type f \
        ! -regex ".*/$LOCALES" -delete
    find "$work/site/silero_vad/data" -type f ! -name '*_16k_op15.onnx' -delete
    (cd "$work/llama/vendor/llama.cpp" && rm -rf docs models tools tests benches examples media \
        gguf-py "${BACKENDS[@]/#/ggml/src/ggml-}")
    tar c -C "$work/site" "${SECOND[@]}" | xz -T0 > .gpu/b.tar.xz
    (cd "$work/site" && rm -rf "${SECOND[@]}")
    tar c -C "$work" site -C llama/vendor llama.cpp | xz -T0 > .gpu/a.tar.xz
    rm -rf "$work"
    tree=$(git ls-files -z | xargs -0 du -cb | tail -n 1 | cut -f 1)
    for part in a b; do
        with_tree=$(((tree + $(stat -c %s ".gpu/$part.tar.xz")) >> 20))
        echo "part $part with the working tree: $with_tree MB of $MOST_MB"
        [ "$with_tree" -lt "$MOST_MB" ]
    done
}

begin() {
    tar xJf .gpu/a.tar.xz -C "$PLACE"
    # Like `make setup`, for no processor in particular: with AMX, ggml's products crashed here.
    cmake -S "$PLACE/llama.cpp" -B "$PLACE/llama" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DGGML_CUDA="$CUDA" -DCMAKE_CUDA_ARCHITECTURES=90 -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=OFF \
        $(printf -- '-DLLAMA_BUILD_%s=OFF ' "${NOT_BUILT[@]}")
    setsid nohup sh -c "cmake --build '$PLACE/llama'; echo \$? > '$PLACE/llama/status'" \
        > "$PLACE/llama/log" 2>&1 &
}

finish() {
    local cublas place
    place=$(realpath "$PLACE")
    tar xJf .gpu/b.tar.xz -C "$place/site"
    # CTranslate2 asks for cuBLAS 12 by name; what it calls of it is the same in 13.
    cublas=$(find "$place" / -path /proc -prune -o -name libcublas.so.13 -print -quit || true)
    [ -n "$cublas" ] || { echo "This machine has no libcublas.so.13."; return 1; }
    cublas=$(dirname "$cublas")
    mkdir -p "$place/cublas"
    ln -sf "$cublas/libcublas.so.13" "$place/cublas/libcublas.so.12"
    ln -sf "$cublas/libcublasLt.so.13" "$place/cublas/libcublasLt.so.12"
    until [ -e "$place/llama/status" ]; do sleep 2; done
    if [ "$(cat "$place/llama/status")" != 0 ]; then
        tail -n 40 "$place/llama/log"
        echo "llama.cpp was not compiled: see above."
        return 1
    fi
    cat > "$place/gpu.env" <<ENV
export PYTHONPATH=$place/site LD_LIBRARY_PATH=$place/cublas:$cublas LLAMA_CPP_LIB_PATH=$place/llama/bin
export CUDA_CACHE_PATH=$place/cuda CUDA_CACHE_MAXSIZE=4294967296 PYTHONUNBUFFERED=1
ENV
}

"$1"
