<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * Transparent extension: `Foo_Qux extends Kohana_Foo_Qux` with either of the two in Python.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_ExtensionTest extends Tortoise_TestCase {

	public function test_an_empty_php_class_extends_a_python_class()
	{
		$this->write_class('modules/a', 'Kohana/Foo/Qux.py', <<<'PYTHON'
			class Kohana_Foo_Qux:
			    def __init__(self, name="a"):
			        self.name = name

			    def greet(self):
			        return f"hello {self.decorated()}"

			    def decorated(self):
			        return self.name
			PYTHON);
		$this->write_class('modules/a', 'Foo/Qux.php', '<?php class Foo_Qux extends Kohana_Foo_Qux {}');

		$script = '$o = new Foo_Qux("Ada"); echo $o->greet(), " ", get_class($o), " ", get_parent_class($o);';

		$this->assertSame('hello Ada Foo_Qux Kohana_Foo_Qux', $this->run_script($script, array('a')));

		// The application puts a class of its own in the place of the empty one
		$this->write_class('application', 'Foo/Qux.php', '<?php class Foo_Qux extends Kohana_Foo_Qux { function decorated() { return "*".parent::decorated()."*"; } }');

		$this->assertSame('hello *Ada* Foo_Qux Kohana_Foo_Qux', $this->run_script($script, array('a')));
	}

	public function test_a_python_class_extends_a_php_class()
	{
		$this->write_class('modules/a', 'Kohana/Foo/Qux.php', <<<'PHP'
			<?php
			class Kohana_Foo_Qux
			{
				protected $_greeting = 'hello';

				public $name;

				public function __construct($name = 'a')
				{
					$this->name = $name;
				}

				public function greet()
				{
					return $this->_greeting.' '.$this->decorated();
				}

				public function decorated()
				{
					return $this->name;
				}
			}
			PHP);
		$this->write_class('modules/a', 'Foo/Qux.php', '<?php class Foo_Qux extends Kohana_Foo_Qux {}');
		$this->write_class('application', 'Foo/Qux.py', <<<'PYTHON'
			from php import Kohana_Foo_Qux


			class Foo_Qux(Kohana_Foo_Qux):
			    _greeting = "good day"

			    def __init__(self, name):
			        super().__init__(name.title())

			    def decorated(self):
			        return f"*{super().decorated()}*"
			PYTHON);

		$this->assertSame(
			'good day *Ada* Foo_Qux Kohana_Foo_Qux',
			$this->run_script('$o = new Foo_Qux("ada"); echo $o->greet(), " ", get_class($o), " ", get_parent_class($o);', array('a'))
		);
	}

	public function test_a_python_class_extends_a_python_class()
	{
		$this->write_class('modules/a', 'Kohana/Foo/Qux.py', "class Kohana_Foo_Qux:\n    def greet(self):\n        return 'hello'\n");
		$import = $this->is_lower() ? 'kohana.foo.qux' : 'Kohana.Foo.Qux';
		$this->write_class('application', 'Foo/Qux.py', "from {$import} import Kohana_Foo_Qux\n\n\nclass Foo_Qux(Kohana_Foo_Qux):\n    pass\n");
		// Of a lower rank, so that it is nobody's
		$this->write_class('modules/b', 'Foo/Qux.php', '<?php throw new Exception("was loaded");');

		$this->assertSame(
			'hello Foo_Qux Kohana_Foo_Qux',
			$this->run_script('$o = new Foo_Qux; echo $o->greet(), " ", get_class($o), " ", get_parent_class($o);', array('a', 'b'))
		);
	}

	public function test_a_python_class_extends_whatever_the_cascade_gives()
	{
		$this->write_class('modules/a', 'Kohana/Foo/Qux.py', "class Kohana_Foo_Qux:\n    def greet(self):\n        return f'hello {self.who()}'\n\n    def who(self):\n        return 'module'\n");
		$this->write_class('application', 'Foo/Qux.py', "from php import Kohana_Foo_Qux\n\n\nclass Foo_Qux(Kohana_Foo_Qux):\n    def who(self):\n        return f'application, {super().who()}'\n");

		$script = '$o = new Foo_Qux; echo $o->greet(), " ", get_parent_class($o);';

		$this->assertSame('hello application, module Kohana_Foo_Qux', $this->run_script($script, array('a')));

		// The application puts a PHP class into the place of the module's Python class
		$this->write_class('application', 'Kohana/Foo/Qux.php', '<?php class Kohana_Foo_Qux { function greet() { return "good day ".$this->who(); } function who() { return "php"; } }');

		$this->assertSame('good day application, php Kohana_Foo_Qux', $this->run_script($script, array('a')));
	}

	public function test_what_python_returns_is_of_the_class_that_the_cascade_gives()
	{
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    pass\n\n\nclass Foo_Qux_Maker:\n    pass\n");
		$import = $this->is_lower() ? 'foo.qux' : 'Foo.Qux';
		$this->write_class('application', 'Foo/Maker.py', "from {$import} import Foo_Qux\n\n\nclass Foo_Maker:\n    def make(self):\n        return Foo_Qux()\n");
		$this->write_class('modules/b', 'Foo/Qux.php', '<?php throw new Exception("was loaded");');

		$this->assertSame(
			'Foo_Qux bool(true)',
			trim($this->run_script('$o = (new Foo_Maker)->make(); echo get_class($o), " "; var_dump($o instanceof Foo_Qux);', array('b')))
		);
	}

	public function test_other_autoloaders_are_back_after_a_class_was_loaded()
	{
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    pass\n");
		$this->write_class('application', 'Foo/Bad.py', "class Foo_Bad:\n    raise ValueError('no')\n");

		$this->assertSame('same Tortoise\Python\ValueError same', $this->run_script('
			spl_autoload_register(function ($class) { return FALSE; }, TRUE, TRUE);
			$before = spl_autoload_functions();
			new Foo_Qux;
			echo spl_autoload_functions() === $before ? "same " : "other ";
			try { new Foo_Bad; } catch (Exception $e) { echo get_class($e); }
			echo spl_autoload_functions() === $before ? " same" : " other";
		'));
	}

	public function test_reflection_sees_real_methods_and_the_docstring()
	{
		$this->write_class('application', 'Foo/Qux.py', <<<'PYTHON'
			class Foo_Qux:
			    """What it is for.

			    And more.
			    """

			    def action_index(self, id=3):
			        """Does it."""
			PYTHON);

		$this->assertSame('bool(true) 1 What it is for. Does it.', $this->run_script('
			$o = new Foo_Qux;
			echo trim(print_r(method_exists($o, "action_index") ? "bool(true)" : "no", TRUE)), " ";
			$method = new ReflectionMethod("Foo_Qux", "action_index");
			echo $method->getNumberOfParameters(), " ";
			preg_match("/What it is for\\./", (new ReflectionClass($o))->getDocComment(), $class);
			preg_match("/Does it\\./", $method->getDocComment(), $doc);
			echo $class[0], " ", $doc[0];
		'));
	}

}
