//! Drives the unmodified nacos-sdk crate over JSON lines, so that a test in another language can steer it as a child process:
//! commands on stdin, answers and events on stdout.

use std::collections::HashMap;
use std::error::Error;
use std::fs::{File, create_dir_all};
use std::io::{Write, stdin, stdout};
use std::path::PathBuf;
use std::process::exit;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use nacos_sdk::api::config::{ConfigChangeListener, ConfigResponse, ConfigService, ConfigServiceBuilder};
use nacos_sdk::api::error::Error as SdkError;
use nacos_sdk::api::naming::{NamingChangeEvent, NamingEventListener, NamingService, NamingServiceBuilder, ServiceInstance};
use nacos_sdk::api::props::ClientProps;
use serde::Deserialize;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The union of the fields of all operations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Command {
    op: String,
    #[serde(default)]
    service: String,
    #[serde(default = "default_group")]
    group: String,
    #[serde(flatten)]
    instance: InstanceFields,
    #[serde(default)]
    instances: Vec<InstanceFields>,
    #[serde(default)]
    clusters: Vec<String>,
    #[serde(default)]
    healthy_only: bool,
    #[serde(default)]
    fresh: bool,
    #[serde(default = "one")]
    page_no: i32,
    #[serde(default = "ten")]
    page_size: i32,
    #[serde(default)]
    data_id: String,
    #[serde(default)]
    content: String,
    cas_md5: Option<String>,
}

#[derive(Deserialize)]
struct InstanceFields {
    #[serde(default)]
    ip: String,
    #[serde(default)]
    port: i32,
    cluster: Option<String>,
    weight: Option<f64>,
    enabled: Option<bool>,
    ephemeral: Option<bool>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

impl From<InstanceFields> for ServiceInstance {
    fn from(fields: InstanceFields) -> Self {
        let otherwise = ServiceInstance::default();
        ServiceInstance {
            ip: fields.ip,
            port: fields.port,
            cluster_name: fields.cluster.or(otherwise.cluster_name),
            weight: fields.weight.unwrap_or(otherwise.weight),
            enabled: fields.enabled.unwrap_or(otherwise.enabled),
            ephemeral: fields.ephemeral.unwrap_or(otherwise.ephemeral),
            metadata: fields.metadata,
            ..otherwise
        }
    }
}

fn default_group() -> String {
    "DEFAULT_GROUP".to_owned()
}

fn one() -> i32 {
    1
}

fn ten() -> i32 {
    10
}

fn print(line: Value) {
    // Listeners print while commands are answered: whole lines at a time.
    let mut out = stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        exit(1);
    }
}

fn printable(instances: &[ServiceInstance]) -> Value {
    instances
        .iter()
        .map(|each| {
            json!({
                "ip": each.ip, "port": each.port, "cluster": each.cluster_name, "service": each.service_name,
                "weight": each.weight, "healthy": each.healthy, "enabled": each.enabled, "ephemeral": each.ephemeral,
                "instanceId": each.instance_id, "metadata": each.metadata,
            })
        })
        .collect()
}

struct Changes {
    service: String,
    group: String,
}

impl NamingEventListener for Changes {
    fn event(&self, event: Arc<NamingChangeEvent>) {
        let instances = printable(event.instances.as_deref().unwrap_or_default());
        print(json!({ "event": "change", "service": self.service, "group": self.group, "instances": instances }));
    }
}

struct ConfigChanges;

impl ConfigChangeListener for ConfigChanges {
    fn notify(&self, config: ConfigResponse) {
        let content = Some(config.content()).filter(|content| !content.is_empty());
        print(json!({ "event": "config", "dataId": config.data_id(), "group": config.group(), "content": content }));
    }
}

type SubscriptionKey = (String, String, Vec<String>);

struct Driver {
    props: ClientProps,
    with_login: bool,
    naming: NamingService,
    configs: Option<ConfigService>,
    /// To unsubscribe, the client wants the very listener that it was given.
    listeners: HashMap<SubscriptionKey, Vec<Arc<Changes>>>,
}

impl Driver {
    async fn connect(props: ClientProps, with_login: bool) -> Outcome<Self> {
        let builder = NamingServiceBuilder::new(props.clone());
        let builder = if with_login { builder.enable_auth_plugin_http() } else { builder };
        Ok(Driver { naming: builder.build().await?, props, with_login, configs: None, listeners: HashMap::new() })
    }

    async fn run(&mut self, command: Command) -> Outcome<Value> {
        let Command { op, service, group, clusters, data_id, content, .. } = command;
        let some_group = Some(group.clone());
        match op.as_str() {
            "register" => {
                self.naming.register_instance(service, some_group, command.instance.into()).await?;
            }
            "deregister" => {
                self.naming.deregister_instance(service, some_group, command.instance.into()).await?;
            }
            "batchRegister" => {
                let instances = command.instances.into_iter().map(ServiceInstance::from).collect();
                self.naming.batch_register_instance(service, some_group, instances).await?;
            }
            "instances" => {
                let cached = !command.fresh;
                let instances = if command.healthy_only {
                    self.naming.select_instances(service, some_group, clusters, cached, true).await?
                } else {
                    self.naming.get_all_instances(service, some_group, clusters, cached).await?
                };
                return Ok(printable(&instances));
            }
            "subscribe" => {
                let listener = Arc::new(Changes { service: service.clone(), group: group.clone() });
                let key = (service.clone(), group, clusters.clone());
                self.listeners.entry(key).or_default().push(listener.clone());
                self.naming.subscribe(service, some_group, clusters, listener).await?;
            }
            "unsubscribe" => {
                let key = (service.clone(), group, clusters.clone());
                let listener = self.listeners.get_mut(&key).and_then(Vec::pop).ok_or("not subscribed")?;
                self.naming.unsubscribe(service, some_group, clusters, listener).await?;
            }
            "services" => {
                let (names, count) = self.naming.get_service_list(command.page_no, command.page_size, some_group).await?;
                return Ok(json!({ "count": count, "names": names }));
            }
            "configGet" => {
                return match self.configs().await?.get_config(data_id, group).await {
                    Ok(config) => Ok(json!(config.content())),
                    Err(SdkError::ConfigNotFound(_)) => Ok(Value::Null),
                    Err(error) => Err(error.into()),
                };
            }
            "configPublish" => {
                let configs = self.configs().await?;
                return Ok(json!(match command.cas_md5 {
                    Some(md5) => configs.publish_config_cas(data_id, group, content, None, md5).await?,
                    None => configs.publish_config(data_id, group, content, None).await?,
                }));
            }
            "configRemove" => {
                return Ok(json!(self.configs().await?.remove_config(data_id, group).await?));
            }
            "configListen" => self.configs().await?.add_listener(data_id, group, Arc::new(ConfigChanges)).await?,
            // The client has nothing to shut down: it ends with the process.
            "quit" => {}
            _ => return Err(format!("unknown op {op:?}").into()),
        }
        Ok(Value::Null)
    }

    async fn configs(&mut self) -> Outcome<&ConfigService> {
        if self.configs.is_none() {
            let builder = ConfigServiceBuilder::new(self.props.clone());
            let builder = if self.with_login { builder.enable_auth_plugin_http() } else { builder };
            self.configs = Some(builder.build().await?);
        }
        self.configs.as_ref().ok_or_else(|| "no config client".into())
    }

    async fn answer(&mut self, line: &str) -> Outcome<bool> {
        let fields: Value = serde_json::from_str(line)?;
        let id = fields["id"].clone();
        let quits = fields["op"] == "quit";
        let outcome = match Command::deserialize(fields) {
            Ok(command) => self.run(command).await,
            Err(error) => Err(error.into()),
        };
        print(match outcome {
            Ok(result) => json!({ "id": id, "ok": true, "result": result }),
            Err(error) => json!({ "id": id, "ok": false, "error": error.to_string() }),
        });
        Ok(quits)
    }
}

struct Options {
    props: ClientProps,
    with_login: bool,
    tmp: PathBuf,
}

fn parse_options(mut arguments: impl Iterator<Item = String>) -> Outcome<Options> {
    // Not from the environment nor from an .env file.
    let mut props = ClientProps::new().env_first(false);
    let (mut server, mut tmp, mut with_login) = (None, None, false);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("no value after {name}"))?;
        props = match name.as_str() {
            "--server" => {
                server = Some(value.clone());
                props.server_addr(value)
            }
            "--tmp" => {
                let folder = tmp.insert(PathBuf::from(value));
                props.cache_dir(folder.join("cache"))
            }
            "--grpc-port" => props.remote_grpc_port(value.parse()?),
            "--namespace" => props.namespace(value),
            "--push-empty-protection" => props.naming_push_empty_protection(value.parse()?),
            "--username" => {
                with_login = true;
                props.auth_username(value)
            }
            "--password" => props.auth_password(value),
            _ => return Err(format!("unknown option {name}").into()),
        };
    }
    match (server, tmp) {
        (Some(_), Some(tmp)) => Ok(Options { props, with_login, tmp }),
        _ => Err("needs --server HOST:PORT and --tmp DIR".into()),
    }
}

/// On its own thread, so that the end of stdin ends the process even while a command waits for an answer.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            if !line.trim().is_empty() && sender.send(line).is_err() {
                break;
            }
        }
        exit(0);
    });
    receiver
}

fn main() -> Outcome<()> {
    let Options { props, with_login, tmp } = parse_options(std::env::args().skip(1))?;
    create_dir_all(&tmp)?;
    let log = File::create(tmp.join("nacos.log"))?;
    tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(log)).init();
    let lines = read_lines();
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut driver = Driver::connect(props, with_login).await?;
        print(json!({ "event": "ready", "client": "rust", "version": env!("CARGO_PKG_VERSION") }));
        for line in lines {
            match driver.answer(&line).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => print(json!({ "id": null, "ok": false, "error": error.to_string() })),
            }
        }
        exit(0)
    })
}
