# The Debian packages: `cpack -G DEB` in the build folder. lumbar is the hub, lumbar-dev what device
# plugins are built with, lumbar-demo a simulated clinic. For arm64 the same, cross-built (arm64.cmake).
set(debian ${CMAKE_CURRENT_LIST_DIR})

# What a package says of itself, beside its name: who may copy it, and what changed.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/debian/changelog.gz
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/debian
    COMMAND gzip -9nc ${debian}/changelog > ${CMAKE_BINARY_DIR}/debian/changelog.gz
    DEPENDS ${debian}/changelog VERBATIM)
add_custom_target(debian_changelog ALL DEPENDS ${CMAKE_BINARY_DIR}/debian/changelog.gz)
foreach(package lumbar:hub lumbar-dev:dev lumbar-demo:demo)
    string(REPLACE ":" ";" package ${package})
    list(GET package 0 name)
    list(GET package 1 component)
    install(FILES ${debian}/copyright ${CMAKE_BINARY_DIR}/debian/changelog.gz
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
    string(TOUPPER ${component} COMPONENT)
    set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${name})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lumbar)
set(CPACK_PACKAGE_CONTACT "The Lumbar authors <lumbar@lumbar.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # so that what belongs into /etc is written there, and names /usr
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL hub dev demo)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
else()
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE amd64)
endif()

# By name, for dpkg-shlibdeps knows nothing of a cross-built program; tests/system/test_packages.sh
# holds them against what the programs load.
set(libraries "libc6 (>= 2.36), libssl3, libpaho-mqtt1.3")
set(CPACK_DEBIAN_HUB_PACKAGE_DEPENDS "${libraries}, libjansson4, liboath0, libprotobuf-c1, libsodium23, libsqlite3-0, libuv1, \
libwebsockets17, libwebsockets-evlib-uv, libyaml-0-2, libzstd1, systemd, init-system-helpers (>= 1.65)")
set(CPACK_DEBIAN_HUB_PACKAGE_RECOMMENDS "mosquitto")
set(CPACK_DEBIAN_HUB_PACKAGE_SUGGESTS "lumbar-demo, bash-completion")
set(CPACK_DEBIAN_HUB_PACKAGE_SECTION net)
set(CPACK_DEBIAN_HUB_PACKAGE_CONTROL_EXTRA
    "${debian}/preinst;${debian}/postinst;${debian}/prerm;${debian}/postrm;${debian}/triggers;\
${CMAKE_BINARY_DIR}/debian/conffiles")
set(CPACK_COMPONENT_HUB_DESCRIPTION "device hub of a treatment clinic
lumbard hears posture wearables and massage devices over MQTT, watches them
with alarm rules, keeps their history, and shows every treatment room live in
the browser. lumbarctl is its administrator's command.

A gateway with a browser is no medical alarm system: a device's own cut-outs
remain the protection.")

set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libc6-dev, pkg-config | pkgconf")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "lumbar")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libprotobuf-c-dev, protobuf-c-compiler")
set(CPACK_COMPONENT_DEV_DESCRIPTION "what device plugins of the Lumbar hub are built with
The contract between hub and plugin (lumbar/plugin.h), its pkg-config file,
the messages of the wire, and a plugin to start from, which builds as it is.")

set(CPACK_DEBIAN_DEMO_PACKAGE_SECTION net)
set(CPACK_DEBIAN_DEMO_PACKAGE_DEPENDS "${libraries}, libprotobuf-c1")
set(CPACK_DEBIAN_DEMO_PACKAGE_SUGGESTS "lumbar, mosquitto")
set(CPACK_DEBIAN_DEMO_PACKAGE_CONTROL_EXTRA
    "${debian}/demo/postinst;${debian}/demo/prerm;${debian}/demo/triggers")
set(CPACK_COMPONENT_DEMO_DESCRIPTION "simulated treatment clinic, for the Lumbar hub
lumbar-sim plays posture wearables and massage devices, rooms of them, with
the faults that real ones have.")

# What an upgrade must not overwrite: all that the package has below /etc.
file(GLOB configuration CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/config
     ${PROJECT_SOURCE_DIR}/config/lumbard.yaml ${PROJECT_SOURCE_DIR}/config/rules.d/*.yaml
     ${PROJECT_SOURCE_DIR}/config/rules.d/tests/*.yaml ${PROJECT_SOURCE_DIR}/config/plans.d/*.yaml)
list(TRANSFORM configuration PREPEND /etc/lumbar/)
list(JOIN configuration "\n" configuration)
file(WRITE ${CMAKE_BINARY_DIR}/debian/conffiles
     "${configuration}\n/etc/mosquitto/conf.d/lumbar.conf\n")
include(CPack)
