import java.util.List;
import java.util.stream.Collectors;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** An application as many are: all that it knows of Nacos stands in its properties, which the test gives as arguments. */
@SpringBootConfiguration
@EnableAutoConfiguration
@RestController
public class SpringCloudApp {

    private final DiscoveryClient discovery;
    private final Environment environment;

    public SpringCloudApp(DiscoveryClient discovery, Environment environment) {
        this.discovery = discovery;
        this.environment = environment;
    }

    public static void main(String[] args) {
        SpringApplication.run(SpringCloudApp.class, args);
    }

    @EventListener(ApplicationReadyEvent.class)
    public void sayReady() {
        System.out.println("ready on port " + environment.getProperty("local.server.port"));
    }

    /** Whom it would call, as {@code IP:PORT}. */
    @GetMapping("/discover")
    public List<String> discover(@RequestParam("service") String service) {
        return discovery.getInstances(service).stream()
                .map(instance -> instance.getHost() + ":" + instance.getPort())
                .sorted()
                .collect(Collectors.toList());
    }

    /** What it is set to now; nothing if that is set nowhere. */
    @GetMapping("/setting")
    public String setting(@RequestParam("name") String name) {
        return environment.getProperty(name, "");
    }
}
