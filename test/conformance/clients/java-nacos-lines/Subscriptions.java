import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.EventListener;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a client sees of services: asked for, or told as an event a line. */
final class Subscriptions {

    private record Subscription(String service, String group, List<String> clusters) {

        static Subscription of(Command c) {
            return new Subscription(c.service(), c.group(), c.clusters());
        }
    }

    private final Lines lines;
    private final NamingService naming;
    private final Map<Subscription, EventListener> listeners = new HashMap<>();

    Subscriptions(Lines lines, NamingService naming) {
        this.lines = lines;
        this.naming = naming;
    }

    void subscribe(Command c) throws NacosException {
        Subscription s = Subscription.of(c);
        if (listeners.containsKey(s)) {
            throw new Command.Bad("already subscribed");
        }
        EventListener listener = event -> {
            if (event instanceof NamingEvent change) {
                lines.emit(Lines.object("event", "change", "service", s.service(), "group", s.group(),
                        "instances", printable(change.getInstances())));
            }
        };
        naming.subscribe(s.service(), s.group(), s.clusters(), listener);
        listeners.put(s, listener);
    }

    void unsubscribe(Command c) throws NacosException {
        Subscription s = Subscription.of(c);
        EventListener listener = listeners.get(s);
        if (listener == null) {
            throw new Command.Bad("not subscribed");
        }
        naming.unsubscribe(s.service(), s.group(), s.clusters(), listener);
        listeners.remove(s);
    }

    /** From the client's cache, which subscribes, or from the server. */
    List<Object> instances(Command c, boolean cached) throws NacosException {
        return printable(c.flag("healthyOnly", false)
                ? naming.selectInstances(c.service(), c.group(), c.clusters(), true, cached)
                : naming.getAllInstances(c.service(), c.group(), c.clusters(), cached));
    }

    private static List<Object> printable(List<Instance> instances) {
        List<Object> list = new ArrayList<>();
        for (Instance i : instances) {
            list.add(Lines.object("ip", i.getIp(), "port", i.getPort(), "cluster", i.getClusterName(),
                    "service", i.getServiceName(), "weight", i.getWeight(), "healthy", i.isHealthy(),
                    "enabled", i.isEnabled(), "ephemeral", i.isEphemeral(),
                    "instanceId", i.getInstanceId(), "metadata", i.getMetadata()));
        }
        return list;
    }
}
