// Only marks the folder: build.sh takes the file named after the version.
module beatbridge.test/go-nacos-2

go 1.26.0
