<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * Controllers, models, validation rules, Minion tasks and view data that are Python classes.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_ClassesTest extends Tortoise_TestCase {

	/**
	 * Executes a request and shows status and body.
	 */
	const GET = '
		function get($uri)
		{
			$response = Request::factory($uri)->execute();
			echo $response->status(), " ", $response->body(), "\n";
		}
	';

	protected function needs($class)
	{
		if ( ! class_exists($class))
			$this->markTestSkipped('This Kohana has no '.$class.'.');
	}

	public function test_a_controller()
	{
		$this->needs('Controller');
		$this->write_class('application', 'Controller/Books.py', <<<'PYTHON'
			from php import Controller


			class Controller_Books(Controller):
			    """Shows books."""

			    def before(self):
			        super().before()
			        self.found = ["a"]

			    def action_index(self):
			        self.response.body(f"{self.request.action()} {self.request.param('id')} {self.found}")

			    def action_missing(self):
			        from kohana import HTTPException

			        raise HTTPException(404, "no book :id", {":id": self.request.param("id")})
			PYTHON);

		$this->assertSame("200 index 7 ['a']\n", $this->run_script(self::GET.'get("books/index/7");'));
	}

	public function test_a_controller_with_a_constructor()
	{
		$this->needs('Controller');
		$this->write_class('application', 'Controller/Books.py', <<<'PYTHON'
			from php import Controller


			class Controller_Books(Controller):
			    def __init__(self, request, response):
			        super().__init__(request, response)
			        self.greeting = "hello"

			    def action_index(self):
			        self.response.body(f"{self.greeting} {self.request.param('id')}")
			PYTHON);

		$this->assertSame("200 hello 7\n", $this->run_script(self::GET.'get("books/index/7");'));
	}

	public function test_a_log_writer_whose_signature_this_kohana_declares()
	{
		$this->write_class('application', 'Log/List.py', <<<'PYTHON'
			from php import Log_Writer


			class Log_List(Log_Writer):
			    def __init__(self):
			        self.messages = []

			    def write(self, messages):
			        self.messages += [message["body"] for message in messages]
			PYTHON);

		$this->assertSame('["first","second"]', $this->run_script('
			$writer = new Log_List;
			Kohana::$log->attach($writer);
			Kohana::$log->add(LOG_INFO, "first")->add(LOG_INFO, "second");
			Kohana::$log->write();
			echo json_encode($writer->messages);
		'));
	}

	public function test_a_template_controller()
	{
		$this->needs('Controller_Template');
		$this->write('application/views/page.php', '<h1><?php echo $title ?></h1>');
		$this->write_class('application', 'Controller/Page.py', <<<'PYTHON'
			from php import Controller_Template


			class Controller_Page(Controller_Template):
			    template = "page"

			    def action_index(self):
			        self.template.title = "from Python"

			    def action_other(self):
			        self.auto_render = False
			        self.response.body("no template")
			PYTHON);

		$this->assertSame(
			"200 <h1>from Python</h1>\n200 no template\n",
			$this->run_script(self::GET.'get("page/index"); get("page/other");')
		);
	}

	public function test_a_php_controller_extends_a_python_controller()
	{
		$this->needs('Controller');
		$this->write_class('application', 'Controller/Base.py', <<<'PYTHON'
			from php import Controller


			class Controller_Base(Controller):
			    def before(self):
			        self.user = "Ada"

			    def after(self):
			        self.response.body(f"<{self.response.body()}>")
			PYTHON);
		$this->write_class('application', 'Controller/Hello.php', '<?php class Controller_Hello extends Controller_Base {
			public function action_index() { $this->response->body("hello {$this->user}"); } }');

		$this->assertSame("200 <hello Ada>\n", $this->run_script(self::GET.'get("hello/index");'));
	}

	public function test_a_page_without_a_controller_or_an_action_is_a_404()
	{
		$this->needs('Controller');
		$this->write_class('application', 'Controller/Books.py', "from php import Controller\n\n\nclass Controller_Books(Controller):\n    def action_index(self): ...\n");

		$script = '
			foreach (array("nothing", "books/nothing", "books/execute/__init__") as $uri)
			{
				try
				{
					echo Request::factory($uri)->execute()->status(), " ";
				}
				catch (HTTP_Exception_404 $e)
				{
					// Kohana 3.2 leaves it to the exception handler
					echo "404 ";
				}
			}
		';

		$this->assertSame('404 404 404 ', $this->run_script($script));
	}

	public function test_a_model()
	{
		$this->needs('Model');
		$this->write_class('application', 'Model/Book.py', <<<'PYTHON'
			from php import Model


			class Model_Book(Model):
			    def titles(self):
			        return {"1": "Emma", "2": "Persuasion"}
			PYTHON);
		$this->write_class('application', 'Model/Plain.py', "class Model_Plain:\n    answer = 42\n");

		$this->assertSame('Model_Book yes {"1":"Emma","2":"Persuasion"} 42', $this->run_script('
			$book = Model::factory("Book");
			echo get_class($book), " ", $book instanceof Model ? "yes" : "no", " ", json_encode($book->titles());
			echo " ", Model::factory("Plain")->answer;
		'));
	}

	public function test_rules_of_a_validation()
	{
		$this->needs('Validation');
		$this->write_class('application', 'Foo/Rules.py', <<<'PYTHON'
			class Foo_Rules:
			    @staticmethod
			    def is_even(value):
			        """Whether a number is even."""
			        return int(value) % 2 == 0

			    @classmethod
			    def is_below(cls, value, limit=10):
			        return int(value) < limit

			    def unlike(self, validation, field, other):
			        if validation[field] == validation[other]:
			            validation.error(field, "unlike")
			PYTHON);

		$this->assertSame('yes {"a":["Foo_Rules::is_even",["3"]],"b":["Foo_Rules::is_below",["12",12]],"c":["unlike",null]}', $this->run_script('
			$rules = new Foo_Rules;
			$check = function (array $data) use ($rules)
			{
				return Validation::factory($data)
					->rule("a", "Foo_Rules::is_even")
					->rule("b", "Foo_Rules::is_below", array(":value", 12))
					->rule("c", array($rules, "unlike"), array(":validation", ":field", "d"))
					->rule("d", "not_empty");
			};
			echo $check(array("a" => "2", "b" => "11", "c" => "x", "d" => "y"))->check() ? "yes" : "no", " ";
			$validation = $check(array("a" => "3", "b" => "12", "c" => "x", "d" => "x"));
			$validation->check();
			echo json_encode($validation->errors());
		'));
	}

	public function test_data_of_a_view()
	{
		$this->needs('View');
		$this->write_class('application', 'Foo/Basket.py', <<<'PYTHON'
			class Foo_Basket:
			    def __init__(self):
			        self.prices = {"tea": 3, "milk": 1}
			        self.owner = "Ada & Co"

			    def __iter__(self):
			        yield from self.prices

			    def __len__(self):
			        return len(self.prices)

			    def __getitem__(self, name):
			        return self.prices[name]

			    def __str__(self):
			        return f"basket of {self.owner}"
			PYTHON);
		$this->write('application/views/basket.php', <<<'PHP'
			<?php echo HTML::chars($basket), ': ', count($basket), ' kinds;', isset($basket->owner) ? ' owned' : '' ?>
			<?php foreach ($basket as $name): ?> <?php echo $name, '=', $basket[$name] ?><?php endforeach ?>
			PHP);

		$this->assertSame(
			'basket of Ada &amp; Co: 2 kinds; owned tea=3 milk=1',
			preg_replace('/\s+/', ' ', trim($this->run_script('echo View::factory("basket")->set("basket", new Foo_Basket);')))
		);
	}

	public function test_a_minion_task()
	{
		if ( ! is_dir(MODPATH.'minion/classes'))
			$this->markTestSkipped('This Kohana has no Minion.');

		$this->write_class('application', 'Task/Count.py', <<<'PYTHON'
			from php import Minion_Task


			class Task_Count(Minion_Task):
			    """Counts to a number.

			    It takes the option --to.
			    """

			    _options = {"to": 3}

			    def build_validation(self, validation):
			        return super().build_validation(validation).rule("to", "digit")

			    def _execute(self, params):
			        return " ".join(str(n + 1) for n in range(int(params["to"])))
			PYTHON);

		$script = 'echo Minion_Task::factory(Minion_CLI::options())->execute();';

		$this->assertSame('1 2 3', $this->run_script($script, array('minion'), array('--task=count')));
		$this->assertSame('1 2 3 4 5', $this->run_script($script, array('minion'), array('--task=count', '--to=5')));
		$this->assertStringContainsString('to must be a digit', $this->run_script($script, array('minion'), array('--task=count', '--to=x')));
		$this->assertStringContainsString('Counts to a number.', $this->run_script($script, array('minion'), array('--task=count', '--help')));
		$this->assertStringContainsString('Parameter Errors', $this->run_script($script, array('minion'), array('--task=count', '--nothing=1')));
	}

}
