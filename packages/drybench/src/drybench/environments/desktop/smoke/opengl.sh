# Where there is no card the processor draws in three dimensions.
set -eu
Xtigervnc :9 -depth 24 -SecurityTypes None -rfbport -1 -rfbunixpath /tmp/opengl 2> /dev/null &
trap 'kill $!' EXIT
for _ in $(seq 50); do xdpyinfo -display :9 > /dev/null 2>&1 && break || sleep 0.2; done
DISPLAY=:9 glxinfo -B | tee /dev/stderr | grep -q 'OpenGL renderer string: .'
