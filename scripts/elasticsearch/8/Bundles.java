// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspex;

import java.nio.file.Path;
import java.util.Set;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** Finds modules and plugins as Elasticsearch 8 does. */
final class Bundles {
    private Bundles() {}

    static Set<PluginBundle> modules(Path folder) {
        return PluginsLoader.loadModulesBundles(folder);
    }

    static Set<PluginBundle> plugins(Path folder) {
        return PluginsLoader.loadPluginsBundles(folder);
    }
}
