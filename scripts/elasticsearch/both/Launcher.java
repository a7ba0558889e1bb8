// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspex;

import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one node of the published server in this process, for tests. The
 * distribution's own start-up, with its security manager, keystore and x-pack,
 * is not published as a jar; what indexes and searches is.
 *
 * Arguments: the folder that holds modules/, and the folder that holds
 * elasticsearch.yml and log4j2.properties.
 */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        Path config = Path.of(args[1]);
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        LogConfigurator.registerErrorListener();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "auspex-test");
        LogConfigurator.setNodeName("auspex-test");
        LogConfigurator.configure(environment, true);
        PluginsLoader loader = PluginsLoader.createPluginsLoader(
            Bundles.modules(home.resolve("modules")), Bundles.plugins(home.resolve("plugins")), Map.of(), false);
        Node node = new Node(environment, loader);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        Thread.currentThread().join();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception e) {
            System.err.println("the node did not close: " + e);
        }
    }
}
