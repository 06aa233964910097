#!/bin/bash
# Full size on a bare machine: a GPU, CUDA 13's libraries, a Python 3.12 with the common
# packages, no network. docs/log.md has the whole commands. Here: nvcc 13, and the registries.
#   gpu_bench.sh build    here: compile llama.cpp for it into .gpu/c.tar.xz (an hour on two cores)
#   gpu_bench.sh pack     here: put what else that machine lacks into .gpu/, in two parts
#   gpu_bench.sh unpack PART  there, with .gpu/PART.tar.xz: a, b or c
#   gpu_bench.sh env      there, after all parts: write $PLACE/gpu.env
# To rehearse it without a GPU: CUDA=OFF PLACE=<empty folder>, with any files named libcublas.so.13
# and libcudart.so.13 in it.
set -euo pipefail
cd "$(dirname "$0")/.."

CUDA=${CUDA:-ON}
PLACE=${PLACE:-/tmp}
CUDA_HOME=${CUDA_HOME:-/usr/local/cuda}
MOST_MB=64 # that travel with a call: the working tree and one part
TAGS=(manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014)
# What that machine has of our dependencies, and what llama-cpp-python, Piper and the benchmarks ask
# for besides.
HAS=(aiohttp jinja2 numpy onnx onnxruntime prometheus-client sentencepiece tokenizers)
BESIDES=(diskcache pathvalidate gguf)
SECOND=(av av.libs piper silero_vad emoji)
CUT=(piper/hebrew piper/train piper/img)
LOCALES='(root|((en|es|fr|hi|fil|tl)(_.*)?))[.]dat' # of Babel
DRIVER=(GetErrorString DeviceGet DeviceGetAttribute MemGetAllocationGranularity MemCreate MemMap
    MemAddressReserve MemRelease MemSetAccess MemUnmap MemAddressFree) # functions that ggml calls
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
    local work platforms names wheels
    mapfile -t names < <(wheels)
    mapfile -t wheels < <(pinned "${names[@]}")
    [ "${#wheels[@]}" = "${#names[@]}" ] || { echo "A lock names not all of: ${names[*]}"; return 1; }
    work=$(mktemp -d)
    read -ra platforms <<< "$(printf -- "--platform %s_x86_64 " "${TAGS[@]}")"
    python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
        --implementation cp "${platforms[@]}" -d "$work/wheels" "${wheels[@]}"
    mkdir -p "$work/site" .gpu
    for wheel in "$work"/wheels/*.whl; do unzip -qo "$wheel" -d "$work/site"; done
    sources "$work"
    mv "$work/llama_cpp" "$work/site/"
    (cd "$work/site" && rm -rf "${CUT[@]}")
    find "$work/site/babel/locale-data" -regextype posix-extended -type f \
        ! -regex ".*/$LOCALES" -delete
    find "$work/site/silero_vad/data" -type f ! -name '*_16k_op15.onnx' -delete
    tar c -C "$work/site" --transform 's,^,site/,' "${SECOND[@]}" | xz -T0 > .gpu/b.tar.xz
    (cd "$work/site" && rm -rf "${SECOND[@]}")
    tar c -C "$work" site | xz -T0 > .gpu/a.tar.xz
    rm -rf "$work"
    fits a b
}

sources() { # of llama.cpp and its Python side, into a folder
    local source
    source=$(grep -o 'llama-cpp-python==[0-9.]*' pyproject.toml)
    python3 -m pip download -q --no-deps --no-binary=llama-cpp-python -d "$1" "$source"
    tar xzf "$1"/llama_cpp_python-*.tar.gz -C "$1" --strip-components=1
    mv "$1/vendor/llama.cpp" "$1/"
}

fits() { # each part with the working tree
    local tree part with_tree
    tree=$(git ls-files -z | xargs -0 du -cb | tail -n 1 | cut -f 1)
    for part in "$@"; do
        with_tree=$(((tree + $(stat -c %s ".gpu/$part.tar.xz")) >> 20))
        echo "part $part with the working tree: $with_tree MB of $MOST_MB"
        [ "$with_tree" -lt "$MOST_MB" ]
    done
}

build() {
    local work cuda
    work=$(mktemp -d)
    cuda="$work/cuda"
    if [ "$CUDA" = ON ]; then # a toolkit with what a developer's machine may lack: cuBLAS, libcuda
        cp -a "$CUDA_HOME/." "$cuda"
        python3 -m pip download -q --no-deps -d "$work" "nvidia-cublas==13.*"
        unzip -qo "$work"/nvidia_cublas-*.whl -d "$work/cublas"
        cp "$work"/cublas/nvidia/cu13/include/* "$cuda/include/"
        cp "$work"/cublas/nvidia/cu13/lib/libcublas* "$cuda/lib64/"
        for name in cublas cublasLt; do ln -sf "lib$name.so.13" "$cuda/lib64/lib$name.so"; done
        mkdir -p "$cuda/lib64/stubs"
        printf 'int cu%s(void) { return 100; }\n' "${DRIVER[@]}" > "$work/stub.c"
        cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$cuda/lib64/stubs/libcuda.so" "$work/stub.c"
        export CUDAToolkit_ROOT="$cuda" CUDACXX="$cuda/bin/nvcc"
    fi
    sources "$work"
    # Like `make setup`, for no processor in particular: with AMX, ggml's products crashed there.
    PATH="$PWD/.venv/bin:$PATH" cmake -S "$work/llama.cpp" -B "$work/built" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DGGML_CUDA="$CUDA" -DCMAKE_CUDA_ARCHITECTURES=90 -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=OFF \
        $(printf -- '-DLLAMA_BUILD_%s=OFF ' "${NOT_BUILT[@]}")
    PATH="$PWD/.venv/bin:$PATH" cmake --build "$work/built"
    mkdir -p .gpu
    tar c -C "$work/built" --transform 's,^bin,llama,' bin | xz -T0 > .gpu/c.tar.xz
    rm -rf "$work"
    fits c
}

unpack() {
    tar xJf ".gpu/$1.tar.xz" -C "$PLACE"
}

env_file() {
    local cublas cudart place
    place=$(realpath "$PLACE")
    # CTranslate2 asks for cuBLAS 12 by name; what it calls of it is the same in 13.
    cublas=$(dirname "$(library libcublas.so.13)")
    cudart=$(dirname "$(library libcudart.so.13)")
    mkdir -p "$place/cublas"
    ln -sf "$cublas/libcublas.so.13" "$place/cublas/libcublas.so.12"
    ln -sf "$cublas/libcublasLt.so.13" "$place/cublas/libcublasLt.so.12"
    cat > "$place/gpu.env" <<ENV
export PYTHONPATH=$place/site LD_LIBRARY_PATH=$place/llama:$place/cublas:$cublas:$cudart
export LLAMA_CPP_LIB_PATH=$place/llama CUDA_CACHE_PATH=$place/cuda CUDA_CACHE_MAXSIZE=4294967296
export PYTHONUNBUFFERED=1
ENV
}

library() {
    find "$PLACE" / -path /proc -prune -o -name "$1" -print -quit | grep . || {
        echo "This machine has no $1." >&2
        return 1
    }
}

case "${1:-}" in
    build | pack) "$1" ;;
    unpack) unpack "$2" ;;
    env) env_file ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d' ;;
esac
